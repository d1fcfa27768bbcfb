//! The HTTP client that performs adapters' requests: credentials, allow-list, SSRF guard, limits.
