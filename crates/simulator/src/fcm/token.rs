//! `POST /token`: an access token for a JWT signed with a service account's key.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use ring::signature::RSA_PKCS1_2048_8192_SHA256;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{Fcm, ServiceAccount, bearer};
use crate::{
    answer,
    clock::{self, UnixMillis},
    inbound::{self, query_parameter},
    world::World,
};

const REQUEST_BYTES_MAX: usize = 32 * 1024;
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Google's clients write this, wherever they send the request.
const GOOGLE_AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"];
const LIFETIME_MAX_S: i64 = 3600;
/// How far the caller's clock may be off, in seconds.
const SKEW_MAX_S: i64 = 300;

/// An OAuth error: 400 unless said otherwise.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    error: &'static str,
    description: &'static str,
}

const fn refused(error: &'static str, description: &'static str) -> Refused {
    Refused { error, description }
}

const BAD_SIGNATURE: Refused = refused("invalid_grant", "Invalid JWT Signature.");
const BAD_TIME: Refused = refused(
    "invalid_grant",
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp \
     values in the JWT claim.",
);
const UNKNOWN_ACCOUNT: Refused = refused("invalid_grant", "Invalid grant: account not found");
const BAD_JWT: Refused = refused("invalid_grant", "Bad Request");
const BAD_SCOPE: Refused = refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.");

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    scope: String,
    aud: String,
    iat: i64,
    exp: i64,
}

pub(super) async fn token(State(world): State<Arc<World>>, request: Request) -> Response {
    let own_audience = format!("{}/token", world.base_url);
    let result = match inbound::read(request, REQUEST_BYTES_MAX).await {
        Err(inbound::BodyTooLarge) => Err(refused("invalid_request", "The request is too large.")),
        Ok((parts, body)) => {
            let is_form = inbound::has_content_type(&parts.headers, "application/x-www-form-urlencoded");
            let form = if is_form { std::str::from_utf8(&body).unwrap_or_default() } else { "" };
            grant(&world.fcm, form, &own_audience, clock::now())
        }
    };
    match result {
        Ok(access_token) => answer::json(
            StatusCode::OK,
            &json!({ "access_token": access_token, "expires_in": bearer::LIFETIME_S, "token_type": "Bearer" }),
        ),
        Err(Refused { error, description }) => answer::json(
            StatusCode::BAD_REQUEST,
            &json!({ "error": error, "error_description": description }),
        ),
    }
}

fn grant(fcm: &Fcm, form: &str, own_audience: &str, now: UnixMillis) -> Result<String, Refused> {
    let grant_type = query_parameter(Some(form), "grant_type")
        .ok_or(refused("invalid_request", "Required parameter is missing: grant_type"))?;
    if grant_type != GRANT_TYPE {
        return Err(refused("unsupported_grant_type", "Invalid grant_type"));
    }
    let assertion = query_parameter(Some(form), "assertion")
        .ok_or(refused("invalid_request", "Required parameter is missing: assertion"))?;
    let account = verify(fcm, &assertion, own_audience, now / 1000)?;
    Ok(fcm.tokens.issue(&account.project_id, now))
}

/// The account that signed the assertion.
fn verify(
    fcm: &Fcm,
    assertion: &str,
    own_audience: &str,
    now_s: i64,
) -> Result<Arc<ServiceAccount>, Refused> {
    let (signed, signature) = assertion.rsplit_once('.').ok_or(BAD_JWT)?;
    let (header, claims) = signed.split_once('.').ok_or(BAD_JWT)?;
    let header: Header = decode(header)?;
    let claims: Claims = decode(claims)?;
    let account = fcm.accounts.read().get(&claims.iss).cloned().ok_or(UNKNOWN_ACCOUNT)?;
    let is_this_key = header.kid.is_none_or(|kid| kid == account.private_key_id);
    if header.alg != "RS256" || !is_this_key {
        return Err(BAD_SIGNATURE);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BAD_SIGNATURE)?;
    let verified = account.public_key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature);
    verified.map_err(|_| BAD_SIGNATURE)?;
    let lifetime = claims.exp.saturating_sub(claims.iat);
    let in_time =
        claims.iat <= now_s.saturating_add(SKEW_MAX_S) && claims.exp > now_s.saturating_sub(SKEW_MAX_S);
    if !in_time || !(1..=LIFETIME_MAX_S).contains(&lifetime) {
        return Err(BAD_TIME);
    }
    if claims.aud != GOOGLE_AUDIENCE && claims.aud != own_audience {
        return Err(refused("invalid_grant", "Invalid JWT: Failed audience check."));
    }
    if claims.scope.split(' ').any(|scope| SCOPES.contains(&scope)) { Ok(account) } else { Err(BAD_SCOPE) }
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Refused> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| BAD_JWT)?;
    serde_json::from_slice(&json).map_err(|_| BAD_JWT)
}

#[cfg(test)]
mod tests;
