//! Twilio's webhooks: the signature vectors V1 to V8 and the status table.

use base64::{Engine, prelude::BASE64_STANDARD};
use hermes_domain::{
    address::Channel,
    outcome::{ErrorClass, Level, ReceiptStatus},
};
use hermes_ports::{
    adapter::{
        AdapterHost, ConnectionAccess, Inbound, InboundKind, ReceiveResult, ReceivedEntry, WebhookRefusal,
    },
    http::{Method, Webhook},
};
use serde_json::json;

use crate::support::{REFERENCE, access, done, host, only_entry, post};

const V1_URL: &str = "https://hermes.example.com/webhooks/twilio/status?tenant=acme&m=42";
const DELIVERED: &str = "AccountSid=AC00000000000000000000000000000001&ApiVersion=2010-04-01&From=%2B15005550006\
    &MessageSid=SM00000000000000000000000000000001&MessageStatus=delivered&RawDlrDoneDate=2611240159\
    &SmsSid=SM00000000000000000000000000000001&SmsStatus=delivered&To=%2B447700900123";
const SID: &str = "SM00000000000000000000000000000001";

fn connection() -> ConnectionAccess {
    let secrets = [("account_sid", "AC1"), ("auth_token", "12345"), ("webhook_shared_key", "12345")];
    access("twilio", json!({ "from": "ACME" }), &secrets)
}

fn signed(url: &str, signature: &str, body: &str) -> Webhook {
    let form = ("content-type", "application/x-www-form-urlencoded");
    post(url, &[form, ("x-twilio-signature", signature)], body)
}

fn receive(webhook: &Webhook) -> ReceiveResult {
    done(host().receive(&connection(), webhook).unwrap())
}

fn status(webhook: &Webhook) -> ReceiptStatus {
    match only_entry(receive(webhook)) {
        ReceivedEntry::Receipt { receipt, .. } => {
            assert_eq!(receipt.provider_message_id.as_deref(), Some(SID));
            receipt.status
        }
        ReceivedEntry::Inbound(inbound) => panic!("{inbound:?}"),
    }
}

/// Signs as Twilio does, for bodies that have no vector.
fn sign(url: &str, body: &str) -> Webhook {
    let mut fields: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    fields.sort();
    let text = fields.into_iter().fold(url.to_owned(), |text, (name, value)| text + &name + &value);
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345");
    signed(url, &BASE64_STANDARD.encode(ring::hmac::sign(&key, text.as_bytes())), body)
}

#[test]
fn forms_with_and_without_port_are_verified() {
    let with_port = V1_URL.replace("example.com/", "example.com:443/");
    let [v1, v2] = ["bFb7PJg/NFQlXt3lXNbMAYe7Dkg=", "k/Ls1UKk6kY7wnSfgV1c5RqZi0k="];
    for (url, signature) in [(V1_URL, v1), (V1_URL, v2), (&with_port, v2), (&with_port, v1)] {
        assert_eq!(
            status(&signed(url, signature, DELIVERED)),
            ReceiptStatus::Reached(Level::Delivered),
            "{url}"
        );
    }
}

#[test]
fn vector_3_says_undelivered_with_its_code() {
    let body = DELIVERED.replace("=delivered", "=undelivered").replace("&From", "&ErrorCode=30003&From");
    let ReceiptStatus::Undelivered(failure) = status(&signed(V1_URL, "/GBMJ0nAYD1a8fevSv0LWi4MMLI=", &body))
    else {
        panic!("not undelivered")
    };
    assert_eq!((failure.class, failure.code.as_deref()), (ErrorClass::RecipientTemporary, Some("30003")));
}

#[test]
fn vector_4_is_an_inbound_stop() {
    let body = "AccountSid=AC00000000000000000000000000000001&Body=++St%C3%B6p+%26+g%C3%B6+%3D+ok+&From=%2B447700900123\
        &FromCity=&MessageSid=SM00000000000000000000000000000001&NumMedia=0&OptOutType=STOP&To=%2B15005550006";
    let webhook =
        signed("https://hermes.example.com/webhooks/twilio/inbound", "rNEc1pq9wASwdpDCPsJmTvHW1e4=", body);
    let received = receive(&webhook).unwrap();
    let (from, to) = ("+447700900123".to_owned(), Some("+15005550006".to_owned()));
    let kind = InboundKind::OptOut;
    let expected = ReceivedEntry::Inbound(Inbound { channel: Channel::Sms, from, to, account: None, kind });
    assert_eq!(received.entries, [expected]);
    assert_eq!(received.reply, Some(("text/xml".to_owned(), "<Response/>".to_owned())));
}

#[test]
fn vector_5_is_a_get_whose_query_is_signed() {
    let url = format!("{V1_URL}&MessageStatus=sent");
    let webhook = Webhook { method: Method::Get, ..signed(&url, "4XrEriYbGBvdqloI9p7YbtI6izM=", "") };
    let ReceivedEntry::Receipt { receipt, reference, .. } = only_entry(receive(&webhook)) else { panic!() };
    assert_eq!((receipt.status, reference), (ReceiptStatus::Reached(Level::Sent), None));
    assert_eq!(
        receive(&Webhook { url: url.replace("sent", "read"), ..webhook }),
        Err(WebhookRefusal::BadSignature)
    );
}

#[test]
fn vector_6_is_json_whose_hash_is_signed() {
    let url = "https://hermes.example.com/webhooks/twilio/json?tenant=acme\
        &bodySHA256=c2a49ec3252aa01ed7bfceee3c3ae192ce3a8d483b78b62381a3f1649b15ba99";
    let body = r#"{"MessageSid":"SM00000000000000000000000000000001","MessageStatus":"delivered"}"#;
    let signature = "3aJLReS5ftgQm69+xCApuiLoglg=";
    assert_eq!(status(&signed(url, signature, body)), ReceiptStatus::Reached(Level::Delivered));
    let padded = format!("{body} ");
    assert_eq!(receive(&signed(url, signature, &padded)), Err(WebhookRefusal::BadSignature));
}

#[test]
fn vector_7_is_signed_with_a_shared_key_and_sha256() {
    let settings = |algorithm: &str| format!("key=webhooks_sharedkey_1,algorithm={algorithm}");
    let mut webhook = signed(V1_URL, "7avPvutZf+wHWgyIGBkTNybHuG0+tVO//znfFAIaxO4=", DELIVERED);
    let name = "x-twilio-webhooks-signature-settings".to_owned();
    webhook.headers.push((name.clone(), settings("HMAC_SHA256")));
    assert_eq!(status(&webhook), ReceiptStatus::Reached(Level::Delivered));
    for wrong in ["HMAC_MD5", "HMAC_SHA1", ""] {
        webhook.headers.retain(|(key, _)| *key != name);
        webhook.headers.push((name.clone(), settings(wrong)));
        assert_eq!(receive(&webhook), Err(WebhookRefusal::BadSignature), "{wrong}");
    }
    webhook.headers.retain(|(key, _)| *key != name);
    assert_eq!(receive(&webhook), Err(WebhookRefusal::BadSignature));
}

#[test]
fn vector_8_signs_distinct_values_of_a_repeated_name() {
    let body = "MediaUrl=b&MediaUrl=a&MediaUrl=b&X=1";
    let webhook = signed("https://hermes.example.com/w", "INXec+veUsUmAmNWatiMj8dKfMw=", body);
    assert_eq!(receive(&webhook).map(|received| received.entries), Ok(Vec::new()));
}

#[test]
fn anything_not_signed_by_the_account_is_refused() {
    let good = signed(V1_URL, "bFb7PJg/NFQlXt3lXNbMAYe7Dkg=", DELIVERED);
    assert!(receive(&good).is_ok());
    let other_url = V1_URL.replace("m=42", "m=43");
    for bad in [
        signed(V1_URL, "", DELIVERED),
        signed(V1_URL, "not base64!", DELIVERED),
        signed(V1_URL, "AAAA", DELIVERED),
        signed(V1_URL, "bFb7PJg/NFQlXt3lXNbMAYe7Dkg=", &DELIVERED.replace("delivered", "read")),
        signed(&other_url, "bFb7PJg/NFQlXt3lXNbMAYe7Dkg=", DELIVERED),
        post(V1_URL, &[], DELIVERED),
    ] {
        assert_eq!(receive(&bad), Err(WebhookRefusal::BadSignature));
    }
    let without_token = access("twilio", json!({}), &[("account_sid", "AC1")]);
    let refused = done(host().receive(&without_token, &good).unwrap());
    assert_eq!(refused, Err(WebhookRefusal::BadSignature));
}

#[test]
fn every_status_and_code_has_its_meaning() {
    use ErrorClass::{
        ContentRejected, Funds, OptedOut, ProviderFault, ProviderThrottled, RecipientPermanent, Unknown,
    };
    let url = format!("https://hermes.example.com/receipts/twilio/prv_1?ref={REFERENCE}");
    for (word, level) in [
        ("accepted", Level::Accepted),
        ("scheduled", Level::Accepted),
        ("queued", Level::Accepted),
        ("sending", Level::Accepted),
        ("sent", Level::Sent),
        ("delivered", Level::Delivered),
        ("partially_delivered", Level::Delivered),
        ("read", Level::Read),
    ] {
        let webhook = sign(&url, &format!("MessageSid={SID}&MessageStatus={word}"));
        let ReceivedEntry::Receipt { reference, receipt, .. } = only_entry(receive(&webhook)) else {
            panic!("{word}")
        };
        assert_eq!(
            (receipt.status, reference.as_deref()),
            (ReceiptStatus::Reached(level), Some(REFERENCE)),
            "{word}"
        );
    }
    for (word, code, kind, class) in [
        ("undelivered", "", "undelivered", RecipientPermanent),
        ("failed", "", "failed", ProviderFault),
        ("canceled", "", "rejected", Unknown),
        ("failed", "30001", "failed", ProviderThrottled),
        ("failed", "30002", "failed", Funds),
        ("undelivered", "30004", "undelivered", OptedOut),
        ("undelivered", "30005", "undelivered", RecipientPermanent),
        ("undelivered", "30006", "undelivered", RecipientPermanent),
        ("undelivered", "30007", "rejected", ContentRejected),
        ("undelivered", "30008", "undelivered", ProviderFault),
        ("failed", "30014", "failed", RecipientPermanent),
        ("failed", "30021", "failed", ProviderFault),
        ("failed", "30022", "failed", ProviderThrottled),
        ("failed", "30023", "failed", ProviderThrottled),
        ("failed", "30034", "rejected", ErrorClass::SenderRejected),
        ("failed", "30036", "expired", ErrorClass::RecipientTemporary),
        ("undelivered", "30410", "undelivered", Unknown),
        ("failed", "21610", "rejected", OptedOut),
        ("failed", "39999", "failed", ProviderFault),
    ] {
        let webhook = sign(&url, &format!("ErrorCode={code}&MessageSid={SID}&MessageStatus={word}"));
        let (told, failure) = match status(&webhook) {
            ReceiptStatus::Reached(level) => panic!("{word} {code}: {level:?}"),
            ReceiptStatus::Undelivered(failure) => ("undelivered", failure),
            ReceiptStatus::Failed(failure) => ("failed", failure),
            ReceiptStatus::Rejected(failure) => ("rejected", failure),
            ReceiptStatus::Expired(failure) => ("expired", failure),
        };
        assert_eq!(
            (told, failure.class, failure.code.unwrap_or_default().as_str()),
            (kind, class, code),
            "{word} {code}"
        );
    }
    let tomorrow = sign(&url, &format!("MessageSid={SID}&MessageStatus=teleported"));
    assert_eq!(receive(&tomorrow).map(|received| received.entries), Ok(Vec::new()));
}

#[test]
fn inbound_words_change_consent() {
    let url = "https://hermes.example.com/receipts/twilio/prv_1";
    for (body, kind) in [
        ("Body=stop&From=%2B447400123456&SmsStatus=received", InboundKind::OptOut),
        ("Body=+Unsubscribe+&From=%2B447400123456", InboundKind::OptOut),
        ("Body=START&From=%2B447400123456&SmsStatus=received", InboundKind::OptIn),
        ("Body=please+stop+by&From=%2B447400123456&SmsStatus=received", InboundKind::Message),
        ("Body=STOP&From=%2B447400123456&OptOutType=HELP", InboundKind::Message),
    ] {
        let ReceivedEntry::Inbound(inbound) = only_entry(receive(&sign(url, body))) else { panic!("{body}") };
        assert_eq!((inbound.kind, inbound.from.as_str()), (kind, "+447400123456"), "{body}");
    }
}

#[test]
fn words_of_a_language_count_where_it_is_spoken() {
    let url = "https://hermes.example.com/receipts/twilio/prv_1";
    for (body, kind) in [
        ("Body=Arr%C3%AAt&From=%2B33612345678", InboundKind::OptOut),
        ("Body=Arr%C3%AAt&From=%2B447400123456", InboundKind::Message),
        ("Body=tilmeld&From=%2B4520123456", InboundKind::OptIn),
        ("Body=avslutt.&From=%2B4791234567", InboundKind::OptOut),
    ] {
        let ReceivedEntry::Inbound(inbound) = only_entry(receive(&sign(url, body))) else { panic!("{body}") };
        assert_eq!(inbound.kind, kind, "{body}");
    }
}

#[test]
fn a_refusal_for_an_earlier_stop_withdraws_consent() {
    let body =
        format!("MessageSid={SID}&MessageStatus=failed&ErrorCode=21610&To=%2B4520123456&From=%2B4520000000");
    let entries = receive(&sign(V1_URL, &body)).unwrap().entries;
    let [ReceivedEntry::Receipt { receipt, .. }, ReceivedEntry::Inbound(inbound)] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert!(
        matches!(&receipt.status, ReceiptStatus::Rejected(failure) if failure.class == ErrorClass::OptedOut)
    );
    assert_eq!((inbound.from.as_str(), inbound.to.as_deref()), ("+4520123456", Some("+4520000000")));
    assert_eq!(inbound.kind, InboundKind::OptOut);
}
