//! Hermes' own HTTP API from the command line: where it is, with which key, and what it says.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::{Args, error::ErrorKind};
use reqwest::{
    Method, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;

/// Longest wait for an answer; a provider check may wait for the provider.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Where the API is. Options win over variables, and those over what `hermes dev` left behind.
#[derive(Clone, Args)]
pub(crate) struct ApiOptions {
    /// Base URL of the API; without it that of a `hermes dev` on the same data.
    #[arg(long, env = "HERMES_API", value_name = "URL", global = true)]
    pub(crate) api: Option<String>,
    /// API key: `hak_…` for operators' commands, `hk_…` for messages.
    #[arg(long, env = "HERMES_KEY", value_name = "KEY", hide_env_values = true, global = true)]
    pub(crate) key: Option<String>,
    /// Where a `hermes dev` keeps its data.
    #[arg(long, default_value = "./.hermes", value_name = "DIR", global = true)]
    pub(crate) data: PathBuf,
}

/// What `hermes dev` writes into its data directory.
#[derive(Clone, Deserialize)]
pub(crate) struct DevFile {
    pub(crate) api: String,
    pub(crate) tenant_key: String,
    pub(crate) admin_key: String,
    pub(crate) simulator: String,
}

/// Whose key a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    Tenant,
    Operator,
}

/// The API with a key.
pub(crate) struct Client {
    http: reqwest::Client,
    api: String,
    authorization: HeaderValue,
}

// === impl ApiOptions ===

impl std::fmt::Debug for ApiOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiOptions").field("api", &self.api).field("data", &self.data).finish_non_exhaustive()
    }
}

impl ApiOptions {
    /// What `hermes dev` left behind; `None` when it never ran here.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub(crate) fn dev_file(&self) -> anyhow::Result<Option<DevFile>> {
        DevFile::read(&self.data.join("dev.json"))
    }

    /// Base URL and key for `caller`. Ends the process as a usage error when either is not known.
    ///
    /// # Errors
    /// When the file of `hermes dev` cannot be read.
    pub(crate) fn resolve(&self, caller: Caller) -> anyhow::Result<(String, String)> {
        let dev = match (&self.api, &self.key) {
            (Some(_), Some(_)) => None,
            _ => self.dev_file()?,
        };
        let Some(api) = self.api.clone().or_else(|| dev.as_ref().map(|dev| dev.api.clone())) else {
            usage("say where the API is: --api URL, HERMES_API, or --data DIR of a running `hermes dev`");
        };
        // A key is never sent to a server that it does not belong to.
        let same_server =
            |dev: &DevFile| self.api.as_ref().is_none_or(|api| trimmed(api) == trimmed(&dev.api));
        let from_dev = dev.filter(same_server).map(|dev| match caller {
            Caller::Tenant => dev.tenant_key,
            Caller::Operator => dev.admin_key,
        });
        let Some(key) = self.key.clone().or(from_dev) else { usage("give a key: --key KEY or HERMES_KEY") };
        Ok((trimmed(&api).to_owned(), key))
    }
}

// === impl DevFile ===

impl std::fmt::Debug for DevFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevFile").field("api", &self.api).finish_non_exhaustive()
    }
}

impl DevFile {
    fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("could not read {}", path.display())),
        };
        let file = serde_json::from_slice(&text);
        file.map(Some).with_context(|| format!("{} is not what `hermes dev` writes", path.display()))
    }
}

// === impl Client ===

impl Client {
    /// A client for what `options` name, with the key of `caller`.
    ///
    /// # Errors
    /// When the key has characters that no key has, or no HTTP client can be made.
    pub(crate) fn connect(options: &ApiOptions, caller: Caller) -> anyhow::Result<Self> {
        let (api, key) = options.resolve(caller)?;
        Self::new(api, &key)
    }

    /// A client for `api` with `key`.
    ///
    /// # Errors
    /// As for [`Client::connect`].
    pub(crate) fn new(api: String, key: &str) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default(); // An earlier choice stands.
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {key}")).context("this is not a key")?;
        authorization.set_sensitive(true);
        let mut builder = reqwest::Client::builder().timeout(ANSWER_LIMIT);
        if is_local(&api) {
            builder = builder.no_proxy();
        }
        Ok(Self { http: builder.build().context("could not make an HTTP client")?, api, authorization })
    }

    /// # Errors
    /// When the server cannot be reached, or refuses: then the error says why, on several lines.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(self.request(Method::GET, path)).await
    }

    /// An answer that is no JSON.
    ///
    /// # Errors
    /// As for [`Client::get`].
    pub(crate) async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let body = self.body(self.request(Method::GET, path)).await?;
        String::from_utf8(body).with_context(|| format!("{} did not answer with text", self.api))
    }

    /// # Errors
    /// As for [`Client::get`].
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(with_body(self.request(Method::POST, path), body)).await
    }

    /// A POST that may be repeated without effect.
    ///
    /// # Errors
    /// As for [`Client::get`].
    pub(crate) async fn post_once(&self, path: &str, body: &Value, key: &str) -> anyhow::Result<Value> {
        let header = (HeaderName::from_static("idempotency-key"), HeaderValue::from_str(key)?);
        self.answer(with_body(self.request(Method::POST, path).header(header.0, header.1), body)).await
    }

    /// A POST of something other than JSON.
    ///
    /// # Errors
    /// As for [`Client::get`].
    pub(crate) async fn post_bytes(
        &self,
        path: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> anyhow::Result<Value> {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, content_type);
        self.answer(request.body(body)).await
    }

    /// # Errors
    /// As for [`Client::get`].
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(self.request(Method::DELETE, path)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.api));
        request.header(AUTHORIZATION, self.authorization.clone())
    }

    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let body = self.body(request).await?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| format!("{} did not answer with JSON", self.api))
    }

    /// The body of a success.
    async fn body(&self, request: RequestBuilder) -> anyhow::Result<Vec<u8>> {
        let unreachable = || format!("could not reach {}", self.api);
        let mut answer = request.send().await.with_context(unreachable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.with_context(unreachable)? {
            body.extend_from_slice(&chunk);
            anyhow::ensure!(
                body.len() <= ANSWER_BYTES_MAX,
                "the answer is larger than {ANSWER_BYTES_MAX} bytes"
            );
        }
        if !status.is_success() {
            bail!(problem(status.as_u16(), &body));
        }
        Ok(body)
    }
}

fn with_body(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json").body(body.to_string())
}

fn trimmed(url: &str) -> &str {
    url.trim_end_matches('/')
}

fn is_local(api: &str) -> bool {
    let host = reqwest::Url::parse(api).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str()))
}

/// A refusal (`application/problem+json`) in lines for people.
fn problem(status: u16, body: &[u8]) -> String {
    let Ok(problem) = serde_json::from_slice::<Value>(body) else {
        return format!("the server answered {status}");
    };
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    let code = text(&problem, "code").or_else(|| text(&problem, "title")).unwrap_or_default();
    let mut said = format!("{status} {code}");
    if let Some(layer) = text(&problem, "layer") {
        said.push_str(&format!(" (layer {layer})"));
    }
    if let Some(detail) = text(&problem, "detail") {
        said.push_str(&format!(": {detail}"));
    }
    for fault in problem["errors"].as_array().into_iter().flatten() {
        let part = |key| text(fault, key).unwrap_or_default();
        said.push_str(&format!("\n  {}  {}  {}", part("pointer"), part("code"), part("detail")));
    }
    if let Some(request) = text(&problem, "request_id") {
        said.push_str(&format!("\n  request {request}"));
    }
    said
}

/// Ends the process as a usage error does: with exit code 2.
pub(crate) fn usage(message: &str) -> ! {
    clap::Error::raw(ErrorKind::MissingRequiredArgument, format!("{message}\n")).exit()
}

/// Reads an id from the command line: letters, digits and `_` only, so that it is one segment of a path.
///
/// # Errors
/// Says what an id looks like.
pub(crate) fn id(text: &str) -> Result<String, String> {
    let fit = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fit { Ok(text.to_owned()) } else { Err("expected an id such as msg_01J…".to_owned()) }
}

/// Prints JSON with indentation.
pub(crate) fn print(value: &Value) {
    println!("{value:#}");
}

/// Prints one line per entry of a list, with the named fields; absent ones as `-`.
pub(crate) fn print_list(list: &Value, fields: &[&str]) {
    for entry in list["data"].as_array().into_iter().flatten() {
        println!("{}", row(entry, fields));
    }
    if let Some(cursor) = list["next_cursor"].as_str() {
        println!("more: --cursor {cursor}");
    }
}

fn row(entry: &Value, fields: &[&str]) -> String {
    let shown = |field: &&str| match &entry[*field] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().filter(|letter| !letter.is_control()).collect(),
        other => other.to_string(),
    };
    fields.iter().map(shown).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn options(api: Option<&str>, key: Option<&str>, data: &Path) -> ApiOptions {
        ApiOptions { api: api.map(str::to_owned), key: key.map(str::to_owned), data: data.to_owned() }
    }

    fn dev_data() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        let file = json!({
            "api": "http://127.0.0.1:8080", "tenant_id": "tnt_1", "tenant_key": "hk_test_1", "admin_key": "hak_1",
            "simulator": "http://127.0.0.1:8090", "data": "x",
        });
        fs::write(data.path().join("dev.json"), file.to_string()).unwrap();
        data
    }

    #[test]
    fn what_dev_left_behind_is_used_per_caller_and_options_win() {
        let data = dev_data();
        let resolve = |api, key, caller| options(api, key, data.path()).resolve(caller).unwrap();
        let api = "http://127.0.0.1:8080".to_owned();
        assert_eq!(resolve(None, None, Caller::Tenant), (api.clone(), "hk_test_1".to_owned()));
        assert_eq!(resolve(None, None, Caller::Operator), (api.clone(), "hak_1".to_owned()));
        assert_eq!(
            resolve(Some("http://127.0.0.1:8080/"), None, Caller::Operator),
            (api, "hak_1".to_owned())
        );
        let elsewhere = ("https://hermes.example".to_owned(), "hak_2".to_owned());
        assert_eq!(resolve(Some("https://hermes.example/"), Some("hak_2"), Caller::Operator), elsewhere);
    }

    #[test]
    fn a_file_that_dev_did_not_write_is_named() {
        let data = tempfile::tempdir().unwrap();
        assert!(options(None, None, data.path()).dev_file().unwrap().is_none());
        fs::write(data.path().join("dev.json"), "{}").unwrap();
        let error = options(None, None, data.path()).dev_file().err().unwrap();
        assert!(error.to_string().contains("dev.json is not what"), "{error}");
    }

    #[test]
    fn debug_output_hides_the_key() {
        let shown = format!("{:?}", options(None, Some("hak_secret"), Path::new(".")));
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_refusal_is_told_with_every_fault() {
        let body = json!({
            "title": "Unprocessable Content", "status": 422, "code": "schema_invalid", "layer": "schema",
            "detail": "1 field", "request_id": "req_1",
            "errors": [{ "pointer": "/to/phone", "code": "recipient_invalid", "detail": "too short" }],
        });
        assert_eq!(
            problem(422, body.to_string().as_bytes()),
            "422 schema_invalid (layer schema): 1 field\n  /to/phone  recipient_invalid  too short\n  request req_1"
        );
        assert_eq!(problem(502, b"<html>"), "the server answered 502");
    }

    #[test]
    fn an_id_cannot_leave_its_segment_of_the_path() {
        assert_eq!(id("msg_01J"), Ok("msg_01J".to_owned()));
        for bad in ["", "../admin", "a?b", "msg 1", "a%2f"] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_row_has_one_column_per_field() {
        let entry = json!({ "id": "tnt_1", "name": "A\u{1b}[2J", "suspended": false });
        assert_eq!(row(&entry, &["id", "name", "suspended", "nothing"]), "tnt_1  A[2J  false  -");
    }
}
