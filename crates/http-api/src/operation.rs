//! What a route is: its handler, and what the OpenAPI document says about it.

use hermes_domain::access::{Role, Scope};
use http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{docs::examples, etag};

/// What a caller needs to call an operation. Every operation names one: there is no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: open to anybody.
    Open,
    /// A tenant's key with the scope `send`.
    Send,
    /// A tenant's key with the scope `read`.
    Read,
    /// A tenant's key with the scope `manage`.
    Manage,
    /// An operator's key.
    Viewer,
    /// An operator's key with the role `operator`.
    Operator,
    /// An operator's key with the role `admin`.
    Admin,
}

impl Need {
    /// The scope that a tenant's key needs; `None` where tenants' keys do not work.
    pub(crate) const fn scope(self) -> Option<Scope> {
        match self {
            Self::Send => Some(Scope::Send),
            Self::Read => Some(Scope::Read),
            Self::Manage => Some(Scope::Manage),
            Self::Open | Self::Viewer | Self::Operator | Self::Admin => None,
        }
    }

    /// The role that an operator's key needs; `None` where operators' keys do not work.
    pub(crate) const fn role(self) -> Option<Role> {
        match self {
            Self::Viewer => Some(Role::Viewer),
            Self::Operator => Some(Role::Operator),
            Self::Admin => Some(Role::Admin),
            Self::Open | Self::Send | Self::Read | Self::Manage => None,
        }
    }
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

    /// The verb of a request; HEAD asks for what GET gives, without the body.
    pub(crate) fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET | Method::HEAD => Some(Self::Get),
            Method::POST => Some(Self::Post),
            Method::PUT => Some(Self::Put),
            Method::PATCH => Some(Self::Patch),
            Method::DELETE => Some(Self::Delete),
            _ => None,
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
    pub(crate) need: Need,
    keyed: bool,
    /// Whether it changes nothing although it is no GET.
    pub(crate) is_read_only: bool,
    body: Option<Value>,
    parameters: Vec<Value>,
    path_schemas: Vec<(&'static str, Value)>,
    replies: Map<String, Value>,
    /// More than the summary says.
    details: Option<&'static str>,
    pub(crate) schemas: Vec<(String, Value)>,
}

impl Operation {
    fn new(verb: Verb, need: Need, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            verb,
            path,
            id,
            summary,
            need,
            keyed: verb == Verb::Post && need != Need::Open,
            is_read_only: false,
            body: None,
            details: None,
            parameters: Vec::new(),
            path_schemas: Vec::new(),
            replies: Map::new(),
            schemas: Vec::new(),
        }
    }

    pub(crate) fn get(need: Need, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Get, need, path, id, summary)
    }

    pub(crate) fn post(need: Need, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Post, need, path, id, summary)
    }

    pub(crate) fn put(need: Need, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Put, need, path, id, summary)
    }

    pub(crate) fn patch(need: Need, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Patch, need, path, id, summary)
    }

    pub(crate) fn delete(need: Need, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Delete, need, path, id, summary)
    }

    /// A POST that takes no `Idempotency-Key`, because repeating it changes nothing anyway.
    pub(crate) const fn repeatable(mut self) -> Self {
        self.keyed = false;
        self
    }

    /// A POST that changes nothing.
    pub(crate) const fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self.repeatable()
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

    /// A body that is bytes; once more for each further type.
    pub(crate) fn bytes(mut self, content_type: &str) -> Self {
        let body = self.body.get_or_insert_with(|| json!({ "required": true, "content": {} }));
        body["content"][content_type] = json!({});
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

    /// An answer without a body, or with one of another kind; once more for each further kind.
    pub(crate) fn plain(mut self, status: u16, description: &str, content_type: Option<&str>) -> Self {
        let mut reply = self.replies.remove(&status.to_string()).unwrap_or_else(|| json!({}));
        reply["description"] = json!(description);
        if let Some(content_type) = content_type {
            reply["content"][content_type] = json!({});
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

    /// What a parameter of the path may be, where that is not any text.
    pub(crate) fn path_parameter(mut self, name: &'static str, schema: Value) -> Self {
        self.path_schemas.push((name, schema));
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
            "name": "If-Match", "in": "header", "required": required,
            "schema": { "type": "string", "pattern": etag::IF_MATCH_PATTERN },
            "description": "ETag of the version that is changed, or several; `*` for whichever there is.",
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
        replies.iter_mut().for_each(|(status, reply)| reply["headers"] = self.headers(status));
        replies.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
        let mut described = json!({
            "operationId": self.id, "summary": self.summary, "tags": [self.tag()],
            "parameters": parameters, "responses": replies,
            "security": self.security(),
        });
        if let Some(body) = &self.body {
            described["requestBody"] = body.clone();
            if let Some(example) = examples::of(self.id) {
                described["requestBody"]["content"]["application/json"]["example"] = example.clone();
            }
        }
        let told: Vec<String> = self.details.map(str::to_owned).into_iter().chain(self.needed()).collect();
        if !told.is_empty() {
            described["description"] = json!(told.join(" "));
        }
        described
    }

    /// What a successful reply carries beside its body.
    fn headers(&self, status: &str) -> Value {
        let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
        let mut headers = json!({ "X-Request-Id": header("RequestId") });
        if self.need.scope().is_some() {
            headers["RateLimit"] = header("RateLimit");
            headers["RateLimit-Policy"] = header("RateLimitPolicy");
        }
        if self.keyed {
            headers["Idempotent-Replayed"] = header("IdempotentReplayed");
        }
        if status == "201" {
            headers["Location"] = header("Location");
        }
        headers
    }

    /// OpenAPI names what a key must be allowed to do in the requirement's list.
    fn security(&self) -> Value {
        match (self.need.scope(), self.need.role()) {
            (Some(scope), _) => json!([{ "tenantKey": [scope.as_str()] }]),
            (None, Some(role)) => json!([{ "operatorKey": [role.as_str()] }]),
            (None, None) => json!([]),
        }
    }

    fn needed(&self) -> Option<String> {
        let scope = self.need.scope().map(|scope| format!("Needs the scope `{}`.", scope.as_str()));
        scope.or_else(|| self.need.role().map(|role| format!("Needs the role `{}`.", role.as_str())))
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
                let known = self.path_schemas.iter().find(|(known, _)| *known == name);
                let schema = known.map_or_else(|| json!({ "type": "string" }), |(_, schema)| schema.clone());
                json!({ "name": name, "in": "path", "required": true, "schema": schema })
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
