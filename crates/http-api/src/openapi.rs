//! The OpenAPI document, made from the same table as the routes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::{
    etag,
    operation::Operation,
    problem::{Code, Fault, ProblemDocument},
    router,
};

const ABOUT: &str = "Delivers messages: SMS, then email, then push, until one arrives. Errors are \
                     `application/problem+json` (RFC 9457).";

/// What the operations say, collected.
#[derive(Debug, Default)]
pub(crate) struct Document {
    paths: BTreeMap<String, Map<String, Value>>,
    schemas: BTreeMap<String, Value>,
}

impl Document {
    pub(crate) fn add(&mut self, operation: &mut Operation) {
        let path = self.paths.entry(operation.documented_path()).or_default();
        path.insert(operation.verb.name().to_owned(), operation.describe());
        self.schemas.extend(operation.schemas.drain(..));
    }

    pub(crate) fn finish(mut self) -> Value {
        let mut problem = serde_json::to_value(ProblemDocument::schema()).unwrap_or_default();
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        problem["properties"]["code"]["enum"] = json!(codes);
        self.schemas.insert(ProblemDocument::name().into_owned(), problem);
        let fault = serde_json::to_value(Fault::schema()).unwrap_or_default();
        self.schemas.insert(Fault::name().into_owned(), fault);
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Hermes",
                "version": env!("CARGO_PKG_VERSION"),
                "description": format!("{ABOUT}\n\n{}", etag::RULE),
                "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            },
            "paths": self.paths,
            "components": {
                "schemas": self.schemas,
                "securitySchemes": security_schemes(),
                "parameters": { "IdempotencyKey": idempotency_key() },
                "headers": headers(),
                "responses": { "Problem": {
                    "description": "The request was refused.",
                    "headers": {
                        "X-Request-Id": { "$ref": "#/components/headers/RequestId" },
                        "Retry-After": { "$ref": "#/components/headers/RetryAfter" },
                    },
                    "content": {
                        "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
                    },
                } },
            },
        })
    }
}

fn security_schemes() -> Value {
    json!({
        "tenantKey": {
            "type": "http", "scheme": "bearer",
            "description": "`hk_live_…` or `hk_test_…`. The two see nothing of each other.",
        },
        "operatorKey": { "type": "http", "scheme": "bearer", "description": "`hak_…`" },
    })
}

fn headers() -> Value {
    let always = |description: &str| json!({ "required": true, "description": description, "schema": { "type": "string" } });
    json!({
        "RequestId": always("Id of the request: the one that it came with, or a new one."),
        "RateLimit": always("What is left of the limit on requests, or of the one that refused (IETF draft `httpapi-ratelimit-headers`)."),
        "RateLimitPolicy": always("The limit on requests, or the one that refused."),
        "Location": {
            "description": "Path of what was made.", "schema": { "type": "string" },
        },
        "IdempotentReplayed": {
            "description": "The reply was given before, to the first request with this `Idempotency-Key`.",
            "schema": { "const": "true" },
        },
        "RetryAfter": { "description": "Seconds after which the same request may succeed.", "schema": { "type": "integer", "minimum": 1 } },
    })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        "description": "The same key with the same request gives the same reply, for 24 hours at least.",
    })
}

/// The document, as served and as kept in `schema/http/openapi.json`.
pub fn document() -> String {
    #[expect(clippy::expect_used, reason = "a JSON value always serialises")]
    let mut text =
        serde_json::to_string_pretty(&router::routes().document.finish()).expect("JSON serialises");
    text.push('\n');
    text
}
