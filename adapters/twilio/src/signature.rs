//! `X-Twilio-Signature`: an HMAC over the URL and, for forms, the sorted fields.

use base64::{Engine, prelude::BASE64_STANDARD};
use hermes_adapter_sdk::{
    contract::{Method, Refusal, Webhook},
    form_fields, header, hex,
    host::{self, Hash},
    json, query_value, same_bytes,
};

/// Checks the signature; then the webhook's fields, decoded.
///
/// # Errors
/// `BadSignature`; `Malformed` is never needed, as every byte string is a form.
pub(crate) fn verified_fields(webhook: &Webhook) -> Result<Vec<(String, String)>, Refusal> {
    let url = webhook.url.split('#').next().unwrap_or_default();
    let (tail, fields) = signed_tail(webhook, url)?;
    let (algorithm, key) = key(webhook)?;
    let given = header(&webhook.headers, "x-twilio-signature").unwrap_or_default();
    let given = BASE64_STANDARD.decode(given.trim()).map_err(|_| Refusal::BadSignature)?;
    let valid = url_forms(url).into_iter().any(|mut signed| {
        signed.push_str(&tail);
        same_bytes(&host::hmac(algorithm, key, signed.as_bytes()), &given)
    });
    if valid { Ok(fields) } else { Err(Refusal::BadSignature) }
}

/// What is signed after the URL, and the fields that the webhook holds.
fn signed_tail(webhook: &Webhook, url: &str) -> Result<(String, Vec<(String, String)>), Refusal> {
    if let Some(hash) = query_value(url, "bodySHA256") {
        let body_hash = hex(&host::sha256(&webhook.body));
        let same = same_bytes(hash.to_ascii_lowercase().as_bytes(), body_hash.as_bytes());
        return if same {
            Ok((String::new(), json_fields(&webhook.body)))
        } else {
            Err(Refusal::BadSignature)
        };
    }
    if webhook.method == Method::Get {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        return Ok((String::new(), form_fields(query.as_bytes())));
    }
    let fields = form_fields(&webhook.body);
    let mut sorted = fields.clone();
    sorted.sort();
    sorted.dedup();
    let tail = sorted.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    Ok((tail, fields))
}

/// Without a settings header: the auth token and SHA-1. With one: the shared key and what it names.
fn key(webhook: &Webhook) -> Result<(Hash, &'static str), Refusal> {
    let Some(settings) = header(&webhook.headers, "x-twilio-webhooks-signature-settings") else {
        return Ok((Hash::Sha1, "auth_token"));
    };
    let mut parts = settings.split(',').filter_map(|part| part.trim().split_once('='));
    match parts.find(|(name, _)| *name == "algorithm") {
        Some((_, "HMAC_SHA256")) => Ok((Hash::Sha256, "webhook_shared_key")),
        Some((_, "HMAC_SHA1")) => Ok((Hash::Sha1, "webhook_shared_key")),
        Some(_) | None => Err(Refusal::BadSignature),
    }
}

/// The URL as it is, without its port, and with the port of its scheme: Twilio signs any of these.
fn url_forms(url: &str) -> Vec<String> {
    let mut forms = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return forms };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let port =
        authority.rfind(':').filter(|colon| authority.rfind(']').is_none_or(|bracket| bracket < *colon));
    match port.and_then(|colon| authority.split_at_checked(colon)) {
        Some((host, _)) => forms.push(format!("{scheme}://{host}{path}")),
        None => {
            let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
            forms.push(format!("{scheme}://{authority}:{port}{path}"));
        }
    }
    forms
}

fn json_fields(body: &[u8]) -> Vec<(String, String)> {
    let value = json(body);
    let fields = value.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
