//! The HTTP API: one file per resource and verb, problem+json, OpenAPI.
