//! The host adds credentials; adapters cannot, and nobody can read them back.

use hermes_ports::{
    adapter::ConnectionAccess,
    egress::{Caller, Egress as _, EgressError},
    http::{AuthScheme, HttpRequest},
};

use crate::support::{LONG, Received, Server, access, dev, egress, get, ok, post};

fn credentials(base_url: &str) -> ConnectionAccess {
    let secrets =
        [("account_sid", "AC1"), ("auth_token", "s3cret"), ("key_id", "AKIDEXAMPLE"), ("key", "wJalr")];
    access(&[("base_url", base_url)], &secrets)
}

async fn received_with(auth: AuthScheme) -> Received {
    let server = Server::start(|_, _| ok("")).await;
    let url = server.url("/");
    let request = HttpRequest { auth, ..post(&url, "x") };
    let access = credentials(&url);
    egress(dev()).perform(Caller::Adapter { access: &access, hosts: &[] }, request, LONG).await.unwrap();
    server.received().remove(0)
}

#[tokio::test]
async fn each_scheme_puts_the_named_credential_where_it_belongs() {
    let (user, password) = ("account_sid".to_owned(), "auth_token".to_owned());
    let basic = received_with(AuthScheme::Basic { user, password }).await;
    assert_eq!(basic.headers["authorization"], "Basic QUMxOnMzY3JldA==");
    let bearer = received_with(AuthScheme::Bearer { token: "auth_token".into() }).await;
    assert_eq!(bearer.headers["authorization"], "Bearer s3cret");
    let own = received_with(AuthScheme::Header { name: "X-Key".into(), value: "auth_token".into() }).await;
    assert_eq!(own.headers["x-key"], "s3cret");
    assert!(!received_with(AuthScheme::None).await.headers.contains_key("authorization"));
    let signed = received_with(AuthScheme::AwsSigV4 {
        access_key_id: "key_id".into(),
        secret_access_key: "key".into(),
        session_token: "session".into(),
        region: "eu-west-1".into(),
        service: "ses".into(),
    })
    .await;
    let authorization = &signed.headers["authorization"];
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
    assert!(
        authorization.contains("/eu-west-1/ses/aws4_request, SignedHeaders=content-type;host;x-amz-date, ")
    );
    assert_eq!(signed.headers["x-amz-date"].len(), "20260102T030405Z".len());
}

#[tokio::test]
async fn a_missing_credential_or_a_forbidden_header_sends_nothing() {
    let server = Server::start(|_, _| ok("")).await;
    let (egress, access) = (egress(dev()), credentials(&server.url("/")));
    let caller = || Caller::Adapter { access: &access, hosts: &[] };
    let mut request = get(&server.url("/"));
    request.auth = AuthScheme::Bearer { token: "absent".into() };
    let error = egress.perform(caller(), request, LONG).await.unwrap_err();
    assert_eq!(error, EgressError::Credentials("the credential absent is missing".into()));
    let forbidden = [
        ("Host", "internal"),
        ("authorization", "Basic x"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("x-a", "b\r\nx-c: d"),
    ];
    for (name, value) in forbidden {
        let mut request = post(&server.url("/"), "x");
        request.headers.push((name.into(), value.into()));
        let result = egress.perform(caller(), request, LONG).await;
        assert!(matches!(result, Err(EgressError::Refused(_))), "{name}: {result:?}");
    }
    assert!(server.received().is_empty());
}
