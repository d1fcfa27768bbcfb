//! What a component must withstand before it is taken: any answer, any webhook, on one instance.

use std::{collections::BTreeMap, sync::Arc};

use hermes_domain::{
    ConnectionId, UnixMillis, address::Channel, connection::Connection, message::Mode,
    suppression::SuppressionReason,
};
use hermes_ports::adapter::{AdapterFault, AdapterRejected, ConnectionAccess, ListOperation, Secrets};

use crate::{
    bindings::{wit, wit_list},
    contract, convert,
    instance::Instance,
    options::HostOptions,
    revision::Revision,
};

const STATUSES: [u16; 14] = [200, 201, 202, 204, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503];
const BODIES: [&[u8]; 8] = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"<html>Bad gateway</html>",
    b"{\"code\":-1,\"status\":{},\"error\":[],\"message\":7,\"errors\":null,\"messages\":[{}]}",
    b"\xff\xfe\x00",
    b"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":[[[[[[[[1]]]]]]]]}}}}}}",
];
const WEBHOOK_BODIES: [&[u8]; 5] = [
    b"",
    b"{\"Type\":\"Notification\"}",
    b"MessageSid=SM1&MessageStatus=delivered&%ZZ=%",
    b"\xff\xfe\x00",
    b"{\"entry\":[{}],\"status\":\"delivered\"}",
];

/// Runs everything.
///
/// # Errors
/// `Smoke` with what went wrong first.
pub(crate) fn test(revision: &Revision, options: &HostOptions) -> Result<(), AdapterRejected> {
    let access = access(revision);
    let failed = |what: &str, fault: AdapterFault| AdapterRejected::Smoke(format!("{what}: {fault}"));
    let mut instance = Instance::start(revision.mould(), options).map_err(|fault| failed("start", fault))?;
    for channel in &revision.descriptor.channels {
        let call = send_call(*channel);
        let step =
            instance.call(Some(&access), 0, options, |guest, store| guest.provider.call_send(store, &call));
        let step = step.map_err(|fault| failed("send", fault))?;
        answers(&mut instance, revision, &access, options, step)
            .map_err(|fault| failed("resume-send", fault))?;
    }
    let step = instance.call(Some(&access), 0, options, |guest, store| guest.provider.call_check(store));
    let step = step.map_err(|fault| failed("check", fault))?;
    answers(&mut instance, revision, &access, options, step).map_err(|fault| failed("check", fault))?;
    if let Some(channel) = revision.descriptor.suppression_list {
        list(&mut instance, revision, &access, options, channel).map_err(|fault| failed("list", fault))?;
    }
    webhooks(&mut instance, &access, options)
}

/// Every operation on the provider's suppression list, with every answer.
fn list(
    instance: &mut Instance,
    revision: &Revision,
    access: &ConnectionAccess,
    options: &HostOptions,
    channel: Channel,
) -> Result<(), AdapterFault> {
    let address = if channel == Channel::Email { "a@example.com" } else { "+4520123456" };
    let address = || address.to_owned();
    let operations = [
        ListOperation::Add { address: address(), reason: SuppressionReason::OptOut },
        ListOperation::Remove { address: address() },
        ListOperation::Page { cursor: None },
        ListOperation::Page { cursor: Some("smoke".to_owned()) },
    ];
    for operation in operations.iter().map(convert::list_operation) {
        let step = instance.call(Some(access), 0, options, |guest, store| match &guest.list {
            Some(list) => list.call_begin(store, &operation).map(Some),
            None => Ok(None),
        })?;
        let pending = match step {
            Some(wit_list::Step::Request(pending)) => pending,
            Some(wit_list::Step::Done(answer)) => {
                convert::list_answer(answer)?;
                continue;
            }
            None => continue,
        };
        contract::check_request(&convert::request(pending.request), &revision.descriptor)?;
        for response in responses() {
            let step = instance.call(Some(access), 0, options, |guest, store| match &guest.list {
                Some(list) => list.call_resume(store, &pending.state, &response).map(Some),
                None => Ok(None),
            })?;
            if let Some(wit_list::Step::Done(answer)) = step {
                convert::list_answer(answer)?;
            }
        }
    }
    Ok(())
}

/// Every status with every body.
fn responses() -> impl Iterator<Item = wit::HttpResponse> {
    let headers =
        vec![("retry-after".to_owned(), "x".to_owned()), ("content-type".to_owned(), String::new())];
    STATUSES.into_iter().flat_map(move |status| {
        let headers = headers.clone();
        BODIES.into_iter().map(move |body| wit::HttpResponse {
            status,
            headers: headers.clone(),
            body: body.to_vec(),
        })
    })
}

/// Every answer to the first request.
fn answers(
    instance: &mut Instance,
    revision: &Revision,
    access: &ConnectionAccess,
    options: &HostOptions,
    step: wit::SendStep,
) -> Result<(), AdapterFault> {
    let pending = match step {
        wit::SendStep::Done(outcome) => return convert::outcome(outcome).map(|_| ()),
        wit::SendStep::Request(pending) => pending,
    };
    contract::check_request(&convert::request(pending.request), &revision.descriptor)?;
    for response in responses() {
        let step = instance.call(Some(access), 0, options, |guest, store| {
            guest.provider.call_resume_send(store, &pending.state, &response)
        })?;
        if let wit::SendStep::Done(outcome) = step {
            convert::outcome(outcome)?;
        }
    }
    Ok(())
}

/// None of these is signed, so none may be taken.
fn webhooks(
    instance: &mut Instance,
    access: &ConnectionAccess,
    options: &HostOptions,
) -> Result<(), AdapterRejected> {
    let forged = [
        Vec::new(),
        [
            "x-twilio-signature",
            "x-hub-signature-256",
            "x-messente-signature",
            "authorization",
            "content-type",
        ]
        .map(|name| (name.to_owned(), "AAAA".to_owned()))
        .to_vec(),
    ];
    for method in [wit::Method::Post, wit::Method::Get] {
        for (body, headers) in
            WEBHOOK_BODIES.iter().flat_map(|body| forged.iter().map(move |headers| (body, headers)))
        {
            let url = "https://hermes.example.com/receipts/x/y?ref=msg_1.1&MessageStatus=delivered&status=delivered";
            let webhook = wit::Webhook {
                method,
                url: url.to_owned(),
                headers: headers.clone(),
                body: body.to_vec(),
                received_at_ms: 0,
            };
            let step = instance
                .call(Some(access), 0, options, |guest, store| guest.provider.call_receive(store, &webhook));
            match step.map_err(|fault| AdapterRejected::Smoke(format!("receive: {fault}")))? {
                wit::ReceiveStep::Done(Ok(_)) => {
                    return Err(AdapterRejected::Smoke(
                        "it took a webhook without a valid signature".to_owned(),
                    ));
                }
                wit::ReceiveStep::Done(Err(_)) | wit::ReceiveStep::Request(_) => (),
            }
        }
    }
    Ok(())
}

/// A connection with a value for everything that the adapter asks for.
fn access(revision: &Revision) -> ConnectionAccess {
    let descriptor = &revision.descriptor;
    let value = |name: &str| (name.to_owned(), "smoke".to_owned());
    let secrets = descriptor.credentials.iter().map(|field| value(&field.name)).collect();
    let config: BTreeMap<_, _> = descriptor
        .config
        .iter()
        .map(|field| (field.name.clone(), serde_json::Value::from("smoke")))
        .collect();
    let connection = Connection {
        id: ConnectionId::new(UnixMillis(0), 0),
        tenant: None,
        mode: Mode::Test,
        provider: descriptor.name.clone(),
        name: "smoke".to_owned(),
        channel: descriptor.channels.first().copied().unwrap_or(Channel::Sms),
        config,
        rate_per_s: None,
        held: false,
        created_at: UnixMillis(0),
    };
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(Secrets(secrets)) }
}

fn send_call(channel: Channel) -> wit::SendCall {
    let text = || Some("smoke".to_owned());
    let phone = || "+4520123456".to_owned();
    let (to, content) = match channel {
        Channel::Sms => (
            wit::Destination::Sms(phone()),
            wit::Content::Sms(wit::SmsContent { text: text(), media_urls: Vec::new() }),
        ),
        Channel::Email => (wit::Destination::Email("a@example.com".to_owned()), wit::Content::Email(email())),
        Channel::Push => {
            let token = wit::PushToken { token: "token".to_owned(), platform: None };
            (wit::Destination::Push(token), wit::Content::Push(push()))
        }
        Channel::Whatsapp => (
            wit::Destination::Whatsapp(phone()),
            wit::Content::Whatsapp(wit::WhatsappContent {
                text: text(),
                media: None,
                template: None,
                fallback_template: None,
            }),
        ),
    };
    wit::SendCall {
        reference: "msg_00000000000000000000000000.1".to_owned(),
        to,
        sender: None,
        content,
        callback_url: "https://hermes.example.com/receipts/x/y?ref=msg_00000000000000000000000000.1"
            .to_owned(),
        valid_for_s: 60,
        expires_at_ms: 60_000,
        tags: Vec::new(),
        ack_url: None,
        alternate: false,
    }
}

fn email() -> wit::EmailContent {
    wit::EmailContent {
        subject: "smoke".to_owned(),
        text: Some("smoke".to_owned()),
        html: None,
        reply_to: None,
        list_unsubscribe: None,
        attachments: Vec::new(),
    }
}

fn push() -> wit::PushContent {
    wit::PushContent {
        title: Some("smoke".to_owned()),
        body: None,
        data: Vec::new(),
        android: None,
        apns: None,
        webpush: None,
    }
}
