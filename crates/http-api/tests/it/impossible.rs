//! What could never work is refused when it is asked for, at the place where it is asked for.

use serde_json::{Value, json};

use crate::{
    app::{App, LIVE, sms, with},
    client::Answer,
};

/// The pointers of a request that was refused as a matter of its schema.
fn refused(answer: &Answer) -> Vec<String> {
    assert_eq!((answer.status, answer.code().as_str()), (422, "schema_invalid"), "{}", answer.text);
    answer.pointers()
}

#[tokio::test]
async fn a_message_comes_from_a_sender_that_can_exist() {
    let app = App::start().await;
    let from = |sender: Value| with(sms(), "/sender", sender);
    for good in [
        json!({ "sms": "ACME" }),
        json!({ "sms": "+4520123456" }),
        json!({ "sms": "1204" }),
        json!({ "email": "no-reply@acme.example" }),
        json!({ "email": "Ærø Færger <no-reply@acme.example>" }),
    ] {
        assert_eq!(app.post(LIVE, "/v1/messages", &from(good.clone())).await.status, 202, "{good}");
    }
    let bad = json!({ "sms": "TooLongSenderName", "email": "foo", "whatsapp": "A\nB" });
    let answer = app.post(LIVE, "/v1/messages", &from(bad)).await;
    assert_eq!(refused(&answer), ["/sender/sms", "/sender/email", "/sender/whatsapp"]);
    let bad = json!({ "sms": "A\nB", "email": "a@b.dk\r\nBcc: x@y.dk" });
    assert_eq!(refused(&app.post(LIVE, "/v1/messages", &from(bad)).await), ["/sender/sms", "/sender/email"]);
}
