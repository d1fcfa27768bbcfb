use super::*;

fn sender(identity: Identity) -> Sender {
    Sender {
        id: SenderId::new(UnixMillis(1), 1),
        tenant: TenantId::new(UnixMillis(1), 1),
        mode: Mode::Live,
        description: String::new(),
        identity,
        status_reason: None,
        created_at: UnixMillis(1),
        updated_at: UnixMillis(1),
    }
}

#[test]
fn an_sms_sender_is_a_name_a_number_or_a_short_code() {
    for (text, kind) in [
        ("ACME", Some(SmsSenderKind::Alphanumeric)),
        ("7-Eleven", Some(SmsSenderKind::Alphanumeric)),
        ("+4520123456", Some(SmsSenderKind::Number)),
        ("1204", Some(SmsSenderKind::ShortCode)),
        ("12", None),
        ("123456789", None),
        ("TWELVE CHARS", None),
        ("Ærø", None),
        (" ACME", None),
        ("+45x", None),
        ("", None),
    ] {
        assert_eq!(SmsSenderKind::of(text), kind, "{text}");
    }
}

#[test]
fn each_country_decides_about_an_sms_sender() {
    let countries = [("DK", Verification::Verified), ("SE", Verification::Rejected)];
    let countries = countries.map(|(country, says)| (country.to_owned(), says)).into();
    let acme = sender(Identity::Sms { sender: "ACME".into(), countries });
    for (country, standing) in [
        (Some("DK"), Verification::Verified),
        (Some("SE"), Verification::Rejected),
        (Some("NO"), Verification::Pending),
        (None, Verification::Pending),
    ] {
        assert_eq!(acme.standing(country), standing, "{country:?}");
    }
    assert_eq!(acme.status(), Verification::Verified);
}

#[test]
fn mail_is_from_its_address_its_domain_and_those_above() {
    let keys =
        |named| keys_of(Channel::Email, named).iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        keys("Acme <No-Reply@Mail.Acme.example>"),
        ["no-reply@mail.acme.example", "mail.acme.example", "acme.example"]
    );
    assert_eq!(keys_of(Channel::Sms, "+4520123456"), [SenderKey::of("4520123456")]);
}

#[test]
fn a_whatsapp_number_has_two_names() {
    let number = sender(Identity::Whatsapp {
        phone_number_id: "10612345".into(),
        display_number: "+4520123456".into(),
        status: Verification::Pending,
    });
    assert_eq!(number.keys(), [SenderKey::of("10612345"), SenderKey::of("4520123456")]);
    assert_eq!(number.status(), Verification::Pending);
}

#[test]
fn what_is_stored_is_read_again() {
    let stored = sender(Identity::Email(EmailIdentity::new("acme.example".into())));
    let text = serde_json::to_string(&stored).unwrap();
    assert_eq!(serde_json::from_str::<Sender>(&text).unwrap(), stored);
    let early = r#"{"channel":"email","identity":"acme.example","status":"verified"}"#;
    let Identity::Email(early) = serde_json::from_str(early).unwrap() else { panic!("{early}") };
    assert_eq!((early.status, early.domain()), (Verification::Verified, "acme.example"));
}

#[test]
fn mail_comes_from_one_address_with_or_without_a_name() {
    for good in ["a@b.dk", "Acme <a@b.dk>", "<a@b.dk>", "\"Ærø, Inc.\" <a@b.dk>"] {
        assert!(is_mail_sender(good), "{good}");
    }
    for bad in [
        "",
        "foo",
        "a@b",
        "a@b.dk\r\nBcc: x@y.dk",
        "A\r\nBcc: x@y.dk <a@b.dk>",
        "a@b.dk, c@d.dk",
        "A <a@b.dk",
        "x <y> <a@b.dk>",
    ] {
        assert!(!is_mail_sender(bad), "{bad:?}");
    }
}
