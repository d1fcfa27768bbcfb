//! Adds credentials to a request. Only here does a credential's value meet a request.
//!
//! Basic, bearer and header values are made anew for each request: a cache lookup would cost about as much
//! as the few bytes of base64. What is worth keeping is an access token and the key that it is asked for
//! with ([`token_sources`]).

mod jwt;
mod jwts;
mod plain;
mod service_account;
mod sigv4;
mod token;
mod token_cell;
mod token_request;
mod token_sources;

use hermes_ports::{adapter::Secrets, egress::EgressError};
use reqwest::header::HeaderValue;

pub(crate) use jwts::{Claims, Jwts};
pub(crate) use plain::{basic, bearer, header};
pub(crate) use sigv4::{SigningNames, sign};
pub(crate) use token::Token;
pub(crate) use token_sources::{TokenSource, TokenSources, Wanted};

/// The value of the credential called `name`.
///
/// # Errors
/// `Credentials` when the connection has none of that name.
pub(crate) fn credential<'a>(secrets: &'a Secrets, name: &str) -> Result<&'a str, EgressError> {
    secrets.get(name).ok_or_else(|| EgressError::Credentials(format!("the credential {name} is missing")))
}

/// A header value that clients and proxies may not index or print.
fn sensitive(text: String, credential: &str) -> Result<HeaderValue, EgressError> {
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        EgressError::Credentials(format!(
            "the credential {credential} holds characters that no header may carry"
        ))
    })?;
    value.set_sensitive(true);
    Ok(value)
}
