//! Rules that hold for every adapter.

use hermes_ports::adapter::{AdapterFault, AdapterHost};

use crate::support::{REFERENCE, access, host, reference_of, sms};

#[test]
fn embedded_adapters_describe_themselves_and_are_active() {
    let names: Vec<String> =
        host().list().into_iter().filter(|info| info.active).map(|info| info.name).collect();
    assert_eq!(names, ["fcm", "messente", "ses", "twilio", "vonage", "whatsapp"]);
    for name in names {
        let descriptor = host().descriptor(&name).unwrap();
        assert_eq!((descriptor.name.as_str(), descriptor.version.as_str()), (name.as_str(), "1.2.0"));
        assert!(host().active_version(&name).is_some());
    }
    let twilio = host().descriptor("twilio").unwrap();
    let public: Vec<&str> =
        twilio.credentials.iter().filter(|it| it.public).map(|it| it.name.as_str()).collect();
    assert_eq!(public, ["account_sid", "api_key_sid"]);
}

#[test]
fn an_unknown_adapter_is_missing() {
    let access = access("carrier-pigeon", serde_json::json!({}), &[]);
    let fault = host().send(&access, &sms("hi")).unwrap_err();
    assert_eq!(fault, AdapterFault::Missing("carrier-pigeon".to_owned()));
    assert_eq!(host().descriptor("carrier-pigeon"), None);
    assert_eq!(reference_of(REFERENCE).to_string().len(), 30);
}
