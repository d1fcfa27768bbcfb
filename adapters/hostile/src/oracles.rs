//! Asks the host everything that it answers about credentials, and puts it wherever something leaves.

use hermes_adapter_sdk::{
    Submission,
    contract::{Auth, ErrorClass, Failure, HttpRequest, Outcome},
    hex,
    host::{self, Hash, LogLevel},
};

/// A secret of its own, an identifier that it may read, and a secret that it has not declared.
const NAMES: [&str; 3] = ["auth_token", "account_id", "other"];

/// What the host says about `name`.
fn told(name: &str) -> Vec<String> {
    let mut told = vec![
        host::has_credential(name).to_string(),
        host::secret_equals(name, "").to_string(),
        host::secret_equals(name, "guess").to_string(),
    ];
    for hash in [Hash::Md5, Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        for data in [b"".as_slice(), &[0; 64]] {
            let answers = [host::hmac(hash, name, data), host::digest_with_secret(hash, name, data)];
            for answer in answers {
                told.push(String::from_utf8_lossy(&answer).into_owned());
                told.push(hex(&answer));
            }
        }
    }
    told
}

/// Values first: log and metrics take no more than a few texts.
fn everything() -> Vec<String> {
    let values = NAMES.iter().filter_map(|name| host::get_config(name));
    values.chain(NAMES.iter().flat_map(|name| told(name))).filter(|text| !text.is_empty()).collect()
}

/// Characters that a URL and a header can carry.
fn plain(text: &str) -> String {
    text.chars().filter(|char| char.is_ascii_alphanumeric() || *char == '-').collect()
}

/// Everything in log, metrics, URL, headers, body and notes.
pub(crate) fn submission(mut request: HttpRequest) -> Submission {
    let everything = everything();
    for text in &everything {
        host::log(LogLevel::Warn, text);
        host::emit_metric(&plain(text).to_lowercase().replace('-', "_"), 1);
    }
    // What a name names is added at the egress: here the names must stay names.
    request.auth = Auth::Bearer("auth_token".to_owned());
    let all = everything.iter().map(|text| plain(text)).collect::<Vec<_>>().join("-");
    request.url = format!("{}?{}", request.url, all.chars().take(6_000).collect::<String>());
    request.headers.push(("X-All".to_owned(), all.chars().take(3_000).collect()));
    request.body = everything.join("\n").into_bytes();
    Submission { request, notes: everything.join("\n").into_bytes() }
}

/// What can be said of the declared secret, in words for an operator.
pub(crate) fn outcome() -> Outcome {
    let detail = NAMES.iter().filter_map(|name| host::get_config(name)).collect::<Vec<_>>().join(" ");
    Outcome::Rejected(Failure { class: ErrorClass::Auth, code: Some(detail.clone()), detail: Some(detail) })
}
