//! Every error code of the contract, with its status.

use http::StatusCode;

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// A stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code { $($name),* }

        impl Code {
            /// Every code, as the contract lists them.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            const fn number(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }
        }
    };
}

codes! {
    MalformedJson = "malformed_json", 400, "The body is not JSON";
    ReceiptMalformed = "receipt_malformed", 400, "The callback cannot be read";
    HeaderInvalid = "header_invalid", 400, "A header is not valid";
    ParameterInvalid = "parameter_invalid", 422, "A query parameter is not valid";
    Unauthenticated = "unauthenticated", 401, "The API key is missing or not valid";
    Forbidden = "forbidden", 403, "The API key may not do this";
    TenantSuspended = "tenant_suspended", 403, "The tenant is suspended";
    NotFound = "not_found", 404, "Not found";
    SchemaInvalid = "schema_invalid", 422, "The body does not match the schema";
    RecipientInvalid = "recipient_invalid", 422, "The recipient is not valid";
    ContentRejected = "content_rejected", 422, "The content cannot be sent";
    ComplianceBlocked = "compliance_blocked", 422, "The message breaks a rule";
    OutsideWindow = "outside_window", 422, "The recipient is left alone at this time";
    SenderUnverified = "sender_unverified", 422, "The sender may not be used";
    RecipientSuppressed = "recipient_suppressed", 422, "The recipient must not be written to";
    QuotaExceeded = "quota_exceeded", 429, "A quota of the tenant is used up";
    TemplateMissingVariable = "template_missing_variable", 422, "The template needs other data";
    RateLimited = "rate_limited", 429, "Too many requests";
    DuplicateSuppressed = "duplicate_suppressed", 409, "The same message was accepted already";
    IdempotencyMismatch = "idempotency_mismatch", 422, "The idempotency key belongs to another request";
    IdempotencyInProgress = "idempotency_in_progress", 409, "The first request is still running";
    NoRoute = "no_route", 422, "No step of the cascade can run";
    PayloadTooLarge = "payload_too_large", 413, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", 415, "The content type is not supported";
    MethodNotAllowed = "method_not_allowed", 405, "The method is not allowed here";
    NotCancellable = "not_cancellable", 409, "The message has ended";
    Conflict = "conflict", 409, "The request conflicts with the present state";
    VersionConflict = "version_conflict", 412, "The resource has changed";
    PreconditionRequired = "precondition_required", 428, "If-Match is required";
    AdapterInvalid = "adapter_invalid", 422, "The adapter was refused";
    Overloaded = "overloaded", 503, "The service is overloaded or away";
    Internal = "internal", 500, "An internal error occurred";
}

impl Code {
    pub(crate) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A reference to the place in our documentation that explains the code.
    pub(crate) fn type_uri(self) -> String {
        format!("/docs/errors#{}", self.as_str())
    }

    /// Whether the same request may succeed later; such answers carry `Retry-After`.
    pub(crate) const fn is_temporary(self) -> bool {
        matches!(self, Self::RateLimited | Self::QuotaExceeded | Self::Overloaded)
    }

    /// Which validation layer refuses with this code.
    pub(crate) const fn layer(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated | Self::Forbidden => Some("auth"),
            Self::TenantSuspended | Self::QuotaExceeded => Some("tenant"),
            Self::SchemaInvalid | Self::RecipientInvalid | Self::TemplateMissingVariable => Some("schema"),
            Self::ContentRejected => Some("content"),
            Self::ComplianceBlocked | Self::OutsideWindow | Self::SenderUnverified => Some("compliance"),
            Self::RecipientSuppressed => Some("dnc"),
            Self::RateLimited => Some("rate"),
            Self::DuplicateSuppressed | Self::IdempotencyMismatch | Self::IdempotencyInProgress => {
                Some("dedup")
            }
            Self::NoRoute => Some("routing"),
            Self::MalformedJson
            | Self::ReceiptMalformed
            | Self::HeaderInvalid
            | Self::ParameterInvalid
            | Self::NotFound => None,
            Self::PayloadTooLarge | Self::UnsupportedMediaType => None,
            Self::MethodNotAllowed | Self::NotCancellable | Self::Conflict | Self::VersionConflict => None,
            Self::PreconditionRequired | Self::AdapterInvalid | Self::Overloaded | Self::Internal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_of_its_class_and_a_place_in_the_docs() {
        for code in Code::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
            assert_eq!(code.type_uri(), format!("/docs/errors#{}", code.as_str()));
        }
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
