//! A simulator on a free port, and callers as its providers expect them.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use axum::http::{HeaderMap, StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hermes_simulator::{RunningSimulator, SesAccount, Simulator, SimulatorOptions, demo};
use reqwest::{Method, RequestBuilder};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Sim {
    pub(crate) running: RunningSimulator,
    client: reqwest::Client,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }

    /// Status and AWS error code.
    pub(crate) fn aws_error(&self) -> (u16, &str) {
        (self.status.as_u16(), self.header("x-amzn-errortype"))
    }
}

impl Sim {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut SimulatorOptions)) -> Self {
        let mut options = SimulatorOptions::new("127.0.0.1:0".parse().unwrap());
        change(&mut options);
        let running = Simulator::start(options).await.unwrap();
        Self { running, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).body(body.to_string())).await
    }

    /// Asks `path` until the answer is as wanted; returns it.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let asked = async {
            loop {
                let answer = self.get(path).await.json();
                if wanted(&answer) {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.expect("the answer should become as wanted")
    }

    /// Waits until every receipt was sent or given up; returns what became of them.
    pub(crate) async fn no_receipt_waits(&self) -> Value {
        self.until("/sim/receipts", |figures| figures["waiting"] == 0).await
    }

    /// A Twilio request with the demo account.
    pub(crate) fn twilio(&self, method: Method, path: &str) -> RequestBuilder {
        let account = demo::twilio();
        let path = format!("/2010-04-01/Accounts/{}{path}", account.account_sid);
        self.request(method, &path).basic_auth(account.account_sid, Some(account.auth_token))
    }

    pub(crate) async fn twilio_form(&self, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.twilio(Method::POST, "/Messages.json");
        answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    pub(crate) async fn sms(&self, to: &str, callback: &str) -> Answer {
        self.twilio_form(&[("To", to), ("From", "ACME"), ("Body", "Hello"), ("StatusCallback", callback)])
            .await
    }

    /// An SES request signed by AWS's own signer.
    pub(crate) fn ses(&self, account: &SesAccount, method: Method, path: &str, body: &str) -> RequestBuilder {
        let credentials = Credentials::new(
            &account.access_key_id,
            &account.secret_access_key,
            account.session_token.clone(),
            None,
            "test",
        );
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&account.region)
            .name("ses")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = self.url(path);
        let headers = [("content-type", "application/json")];
        let signable = SignableRequest::new(
            method.as_str(),
            &url,
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let (instructions, _) = sign(signable.unwrap(), &parameters).unwrap().into_parts();
        let mut request = self.request(method, path).header("content-type", "application/json");
        for (name, value) in instructions.headers() {
            request = request.header(name, value);
        }
        request.body(body.to_owned())
    }

    pub(crate) async fn ses_post(&self, body: &Value) -> Answer {
        let request = self.ses(&demo::ses(), Method::POST, "/v2/email/outbound-emails", &body.to_string());
        answer(request).await
    }

    pub(crate) async fn email(&self, to: &str) -> Answer {
        self.ses_post(&email(to)).await
    }

    /// The answer of the token endpoint to the demo service account.
    pub(crate) async fn fcm_token_answer(&self, claims: &Value) -> Answer {
        let assertion = assertion(claims);
        let body =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let request = self.request(Method::POST, "/token");
        answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    pub(crate) async fn fcm_token(&self) -> String {
        let answer = self.fcm_token_answer(&claims()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn fcm_post(&self, token: &str, body: &Value) -> Answer {
        let path = format!("/v1/projects/{}/messages:send", demo::FCM_PROJECT_ID);
        let request =
            self.request(Method::POST, &path).header("content-type", "application/json; charset=UTF-8");
        answer(request.bearer_auth(token).body(body.to_string())).await
    }

    pub(crate) async fn push(&self, device: &str) -> Answer {
        let message = json!({ "message": { "token": device, "data": { "hermes_ref": "msg_push.1" } } });
        self.fcm_post(&self.fcm_token().await, &message).await
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

pub(crate) fn email(to: &str) -> Value {
    json!({
        "FromEmailAddress": "Hermes <no-reply@example.com>",
        "Destination": { "ToAddresses": [to] },
        "Content": { "Simple": { "Subject": { "Data": "Hi" }, "Body": { "Text": { "Data": "Hello" } } } },
        "EmailTags": [{ "Name": "hermes_ref", "Value": "msg_mail-1" }],
        "ConfigurationSetName": demo::SES_CONFIGURATION_SET,
    })
}

pub(crate) fn claims() -> Value {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    json!({
        "iss": "hermes@hermes-test.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": now,
        "exp": now + 3600,
    })
}

fn assertion(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(claims));
    let account = demo::fcm_service_account("");
    let signature = rsa_sha256(account["private_key"].as_str().unwrap(), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// RSA PKCS#1 v1.5 with SHA-256; deterministic.
pub(crate) fn rsa_sha256(key_pem: &str, text: &[u8]) -> Vec<u8> {
    let base64: String = key_pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
    let key = RsaKeyPair::from_pkcs8(&der).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).unwrap();
    signature
}
