//! HTTP messages as plain values, so that neither adapters nor actors depend on a client.

use bytes::Bytes;
use hermes_domain::UnixMillis;
use std::fmt;

/// Methods adapters may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// The method's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Whether a request makes a provider send something to a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestEffect {
    /// Reads or logs in; may be repeated.
    Safe,
    /// Submits a message; at most one of these per attempt.
    Submits,
}

/// How the host authenticates a request. Names are names of credentials, never their values.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum AuthScheme {
    /// No authentication.
    None,
    /// RFC 7617.
    Basic {
        /// Credential used as user name.
        user: String,
        /// Credential used as password.
        password: String,
    },
    /// `Authorization: Bearer <credential>`.
    Bearer {
        /// Credential used as token.
        token: String,
    },
    /// A header of its own.
    Header {
        /// Header name.
        name: String,
        /// Credential used as value.
        value: String,
    },
    /// AWS Signature Version 4.
    AwsSigV4 {
        /// Credential holding the access key id.
        access_key_id: String,
        /// Credential holding the secret key.
        secret_access_key: String,
        /// Credential holding a session token; unused when the connection has none.
        session_token: String,
        /// Region, such as `eu-west-1`.
        region: String,
        /// Signing name, such as `ses`.
        service: String,
    },
    /// OAuth 2 token of a Google service account (RFC 7523).
    GoogleServiceAccount {
        /// Credential holding the service account's JSON key.
        key: String,
        /// Scope asked for.
        scope: String,
    },
    /// A JWT signed for each request (RFC 7519, RS256).
    Jwt {
        /// Credential holding the RSA private key, PKCS #8 in PEM.
        key: String,
        /// Claims beside `iat`, `exp` and `jti`.
        claims: Vec<(String, String)>,
        /// Seconds from `iat` to `exp`.
        valid_for_s: u32,
    },
}

/// A request to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Absolute URL.
    pub url: String,
    /// Names in any case; no `Authorization`, `Host` or `Content-Length`: the host sets those.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Bytes,
    /// Authentication to add.
    pub auth: AuthScheme,
    /// Whether it submits.
    pub effect: RequestEffect,
}

/// A response that arrived whole.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body within the response limit.
    pub body: Bytes,
}

impl HttpResponse {
    /// First header called `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A callback from a provider, as it must be verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// GET or POST.
    pub method: Method,
    /// The public URL that the provider called: configured public address, path and raw query.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Raw body.
    pub body: Bytes,
    /// When it arrived: what a signature's own time is held against, also where it is verified later.
    pub received_at: UnixMillis,
}

macro_rules! sizes_only {
    ($($name:ident { $($field:ident),* }),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))*
                    .field("body_bytes", &self.body.len()).finish_non_exhaustive()
            }
        }
    )*};
}
sizes_only!(HttpRequest { method, effect }, HttpResponse { status }, Webhook { method });
