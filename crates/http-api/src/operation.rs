//! What a route is: its handler, and what the OpenAPI document says about it.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Open,
    /// A tenant's key.
    Tenant,
    /// An operator's key.
    Operator,
}

/// Methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    summary: &'static str,
    access: Access,
    keyed: bool,
    body: Option<Value>,
    parameters: Vec<Value>,
    replies: Map<String, Value>,
    /// More than the summary says.
    details: Option<&'static str>,
    pub(crate) schemas: Vec<(String, Value)>,
}

impl Operation {
    fn new(verb: Verb, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        let access = if path.starts_with("/v1/ack/") {
            Access::Open
        } else if path.starts_with("/v1/") {
            Access::Tenant
        } else if path.starts_with("/admin/") {
            Access::Operator
        } else {
            Access::Open
        };
        Self {
            verb,
            path,
            id,
            summary,
            access,
            keyed: verb == Verb::Post && access != Access::Open,
            body: None,
            details: None,
            parameters: Vec::new(),
            replies: Map::new(),
            schemas: Vec::new(),
        }
    }

    pub(crate) fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Get, path, id, summary)
    }

    pub(crate) fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Post, path, id, summary)
    }

    pub(crate) fn put(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Put, path, id, summary)
    }

    pub(crate) fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Patch, path, id, summary)
    }

    pub(crate) fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Delete, path, id, summary)
    }

    /// A JSON body that matches `schema`, which the document calls `name`.
    pub(crate) fn body(mut self, name: &str, schema: Value) -> Self {
        let content = json!({ "application/json": { "schema": reference(name) } });
        self.body = Some(json!({ "required": true, "content": content }));
        self.schemas.push((name.to_owned(), schema));
        self
    }

    /// Another schema that the document needs.
    pub(crate) fn body_schema(mut self, name: &str, schema: Value) -> Self {
        self.schemas.push((name.to_owned(), schema));
        self
    }

    /// A body that is bytes.
    pub(crate) fn bytes(mut self, content_type: &str) -> Self {
        self.body = Some(json!({ "required": true, "content": { content_type: {} } }));
        self
    }

    /// A JSON answer.
    pub(crate) fn reply<T: ToSchema>(mut self, status: u16, description: &str) -> Self {
        let name = self.schema_of::<T>();
        let content = json!({ "application/json": { "schema": reference(&name) } });
        self.replies.insert(status.to_string(), json!({ "description": description, "content": content }));
        self
    }

    /// A page of a list.
    pub(crate) fn list<T: ToSchema>(mut self, description: &str) -> Self {
        let entry = self.schema_of::<T>();
        let name = format!("{entry}List");
        let schema = json!({
            "type": "object", "required": ["data", "next_cursor", "has_more"],
            "properties": {
                "data": { "type": "array", "items": reference(&entry) },
                "next_cursor": { "type": ["string", "null"], "description": "Where the next page begins; null on the last one." },
                "has_more": { "type": "boolean" },
            },
        });
        let content = json!({ "application/json": { "schema": reference(&name) } });
        self.replies.insert("200".to_owned(), json!({ "description": description, "content": content }));
        self.schemas.push((name, schema));
        self
    }

    /// An answer without a body, or with one of another kind.
    pub(crate) fn plain(mut self, status: u16, description: &str, content_type: Option<&str>) -> Self {
        let mut reply = json!({ "description": description });
        if let Some(content_type) = content_type {
            reply["content"] = json!({ content_type: {} });
        }
        self.replies.insert(status.to_string(), reply);
        self
    }

    /// What callers must know beyond the summary.
    pub(crate) const fn details(mut self, details: &'static str) -> Self {
        self.details = Some(details);
        self
    }

    pub(crate) fn query(mut self, name: &str, description: &str, schema: Value) -> Self {
        let parameter = json!({ "name": name, "in": "query", "description": description, "schema": schema });
        self.parameters.push(parameter);
        self
    }

    /// `limit` and `cursor`.
    pub(crate) fn paged(self) -> Self {
        let limit = json!({ "type": "integer", "minimum": 1, "maximum": 250, "default": 50 });
        self.query("limit", "Entries of a page.", limit).query(
            "cursor",
            "`next_cursor` of an earlier page.",
            json!({ "type": "string" }),
        )
    }

    /// `If-Match`.
    pub(crate) fn versioned(mut self, required: bool) -> Self {
        self.parameters.push(json!({
            "name": "If-Match", "in": "header", "required": required, "schema": { "type": "string" },
            "description": "ETag of the version that is changed.",
        }));
        self
    }

    fn schema_of<T: ToSchema>(&mut self) -> String {
        let mut nested = Vec::new();
        T::schemas(&mut nested);
        nested.push((T::name().into_owned(), T::schema()));
        for (name, schema) in nested {
            self.schemas.push((name, serde_json::to_value(schema).unwrap_or_default()));
        }
        T::name().into_owned()
    }

    /// What the document says about the operation.
    pub(crate) fn describe(&self) -> Value {
        let mut parameters = self.path_parameters();
        if self.keyed {
            parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
        }
        parameters.extend(self.parameters.iter().cloned());
        let mut replies = self.replies.clone();
        replies.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
        let mut described = json!({
            "operationId": self.id, "summary": self.summary, "tags": [self.tag()],
            "parameters": parameters, "responses": replies,
            "security": match self.access {
                Access::Open => json!([]),
                Access::Tenant => json!([{ "tenantKey": [] }]),
                Access::Operator => json!([{ "operatorKey": [] }]),
            },
        });
        if let Some(details) = self.details {
            described["description"] = details.into();
        }
        if let Some(body) = &self.body {
            described["requestBody"] = body.clone();
        }
        described
    }

    /// The path as OpenAPI writes it: a wildcard is a parameter like others.
    pub(crate) fn documented_path(&self) -> String {
        self.path.replace("{*", "{")
    }

    fn path_parameters(&self) -> Vec<Value> {
        let names = self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        names
            .map(|name| {
                let name = name.trim_start_matches('*');
                json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
            })
            .collect()
    }

    fn tag(&self) -> &'static str {
        let after = |prefix: &str| self.path.strip_prefix(prefix).and_then(|rest| rest.split('/').next());
        match (after("/v1/"), after("/admin/v1/")) {
            (Some(resource), _) => resource,
            (None, Some(_)) => "admin",
            (None, None) if self.path.starts_with("/receipts") => "receipts",
            (None, None) => "service",
        }
    }
}

/// A reference to a component.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
