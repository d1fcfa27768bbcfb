//! Successful answers.

use axum::response::{IntoResponse as _, Response};
use hermes_ports::idempotency::StoredReply;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::etag;

/// A JSON answer, with the fields that are shown only once.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    body: Value,
    secrets: &'static [&'static str],
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, body: &impl Serialize) -> Self {
        #[expect(clippy::expect_used, reason = "plain structs with text keys: there is no case that fails")]
        let body = serde_json::to_value(body).expect("a reply serialises");
        Self { status, body, secrets: &[], headers: Vec::new() }
    }

    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, body)
    }

    pub(crate) fn created(location: &str, body: &impl Serialize) -> Self {
        Self::new(StatusCode::CREATED, body).header(header::LOCATION, location)
    }

    /// Names top-level fields that a repetition of the reply omits.
    pub(crate) const fn with_secrets(mut self, fields: &'static [&'static str]) -> Self {
        self.secrets = fields;
        self
    }

    pub(crate) fn version(self, version: u64) -> Self {
        self.header(header::ETAG, &etag::of(version))
    }

    fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// What a repetition of the request gets.
    pub(crate) fn kept(&self) -> StoredReply {
        let header = |wanted: HeaderName| {
            let (_, value) = self.headers.iter().find(|(name, _)| *name == wanted)?;
            value.to_str().ok().map(str::to_owned)
        };
        StoredReply {
            status: self.status.as_u16(),
            body: self.without_secrets(),
            location: header(header::LOCATION),
            etag: header(header::ETAG),
        }
    }

    fn without_secrets(&self) -> String {
        let mut body = self.body.clone();
        if let Value::Object(fields) = &mut body {
            fields.retain(|name, _| !self.secrets.contains(&name.as_str()));
        }
        body.to_string()
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = json_text(self.status, self.body.to_string());
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A JSON answer from text.
pub(crate) fn json_text(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, [content_type], body.into()).into_response()
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    #[expect(clippy::expect_used, reason = "plain structs with text keys: there is no case that fails")]
    json_text(status, serde_json::to_vec(body).expect("a reply serialises"))
}

/// 200 with a body.
pub(crate) fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// 200 with a body and its version.
pub(crate) fn ok_version(body: &impl Serialize, version: u64) -> Response {
    Reply::ok(body).version(version).into_response()
}

/// 204.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
