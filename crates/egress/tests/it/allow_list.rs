//! An adapter addresses its provider and nobody else.

use std::sync::Arc;

use hermes_domain::message::Mode;
use hermes_egress::EgressOptions;
use hermes_ports::{
    egress::{Caller, Egress as _, EgressError},
    http::AuthScheme,
};

use crate::support::{Answers, LONG, Server, access, dev, egress, get, notify, ok};

async fn ask(hosts: &[&str], base_url: Option<&str>, url: &str) -> Result<(), EgressError> {
    // Every name leads to an address that the guard refuses, so a permitted name is told by that refusal.
    let egress = egress(EgressOptions { lookup: Answers::of(&["10.0.0.1"]), ..EgressOptions::default() });
    let config: Vec<_> = base_url.map(|base| ("base_url", base)).into_iter().collect();
    let access = access(&config, &[]);
    let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
    egress.perform(Caller::Adapter { access: &access, hosts: &hosts }, get(url), LONG).await.map(drop)
}

const PASSED: &str = "the host has no address that may be connected to";
const FOREIGN: &str = "the host is neither declared by the adapter nor that of base_url";

#[tokio::test]
async fn declared_hosts_and_base_url_pass_and_all_others_do_not() {
    let cases = [
        (&["api.twilio.com"][..], None, "https://api.twilio.com/2010/x", PASSED),
        (&["*.twilio.com"], None, "https://api.twilio.com/", PASSED),
        (&["email.*.amazonaws.com"], None, "https://email.eu-west-1.amazonaws.com/v2", PASSED),
        (&["api.twilio.com"], Some("https://proxy.example/tw"), "https://proxy.example/tw/x", PASSED),
        (&["api.twilio.com"], Some("https://proxy.example/tw"), "https://api.twilio.com/x", PASSED),
        (&[], None, "https://api.twilio.com/", FOREIGN),
        (&["api.twilio.com"], None, "https://evil.example/?u=api.twilio.com", FOREIGN),
        (&["api.twilio.com"], None, "https://api.twilio.com.evil.example/", FOREIGN),
        (&["*.twilio.com"], None, "https://a.b.twilio.com/", FOREIGN),
        (&["*"], None, "https://evil.example/", FOREIGN),
        (&["api.twilio.com"], None, "https://api.twilio.com:8443/", FOREIGN),
        (&["api.twilio.com"], Some("https://proxy.example/"), "https://proxy.example:8443/", FOREIGN),
        (&["api.twilio.com"], None, "https://api.twilio.com@evil.example/", "the URL holds credentials"),
        (&["api.twilio.com"], None, "https://api.twilio.com\\@evil.example/", PASSED),
        (&["api.twilio.com"], None, "http://api.twilio.com/", "plain HTTP is not allowed"),
    ];
    for (hosts, base_url, url, expected) in cases {
        assert_eq!(ask(hosts, base_url, url).await, Err(EgressError::Refused(expected.into())), "{url}");
    }
}

#[tokio::test]
async fn a_test_connection_reaches_its_base_url_whatever_its_adapter_declares() {
    let server = Server::start(|_, _| ok("")).await;
    let (egress, hosts) = (egress(dev()), ["api.twilio.com".to_owned()]);
    let mut test = access(&[("base_url", &server.url("/twilio"))], &[]);
    Arc::make_mut(&mut test.connection).mode = Mode::Test;
    let ask = async |url: &str| {
        egress.perform(Caller::Adapter { access: &test, hosts: &hosts }, get(url), LONG).await.map(drop)
    };
    let refused = EgressError::Refused("a test connection reaches nothing but its base_url".into());
    for url in ["https://api.twilio.com/2010/x", "https://evil.example/", "http://127.0.0.1:1/"] {
        assert_eq!(ask(url).await, Err(refused.clone()), "{url}");
    }
    assert_eq!(ask(&server.url("/twilio/x")).await, Ok(()));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_webhook_goes_anywhere_but_carries_no_credentials() {
    let server = Server::start(|_, _| ok("")).await;
    let egress = egress(dev());
    let url = server.url("/hook");
    assert_eq!(notify(&egress, get(&url)).await.unwrap().status, 200);
    let mut request = get(&url);
    request.auth = AuthScheme::Bearer { token: "token".into() };
    assert!(matches!(notify(&egress, request).await, Err(EgressError::Refused(_))));
    assert_eq!(server.received().len(), 1);
}
