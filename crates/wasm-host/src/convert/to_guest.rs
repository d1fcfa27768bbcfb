//! What a guest is told.

use hermes_domain::{
    address::{Destination, Platform},
    content::{ChannelContent, EmailBody, Push, Whatsapp},
};
use hermes_ports::{
    adapter::{LookupQuery, SendCall},
    http::{HttpResponse, Method, Webhook},
};
use serde_json::{Map, Value};

use crate::bindings::wit;

/// A submission.
pub(crate) fn send_call(call: &SendCall) -> wit::SendCall {
    wit::SendCall {
        reference: call.reference.to_string(),
        to: destination(&call.to),
        sender: call.sender.clone(),
        content: content(&call.content),
        callback_url: call.callback_url.clone(),
        valid_for_s: call.valid_for_s,
        expires_at_ms: call.expires_at.0,
        tags: call.tags.clone(),
        ack_url: call.ack_url.clone(),
        alternate: call.alternate,
    }
}

/// Size of what can be large in a submission.
pub(crate) fn content_bytes(call: &wit::SendCall) -> usize {
    match &call.content {
        wit::Content::Email(email) => {
            let bodies =
                email.text.as_ref().map_or(0, String::len) + email.html.as_ref().map_or(0, String::len);
            email.attachments.iter().fold(bodies, |bytes, file| bytes + file.content_base64.len())
        }
        wit::Content::Sms(_) | wit::Content::Push(_) | wit::Content::Whatsapp(_) => 0,
    }
}

/// A submission to be looked up.
pub(crate) fn lookup_query(query: &LookupQuery) -> wit::LookupQuery {
    wit::LookupQuery {
        call: send_call(&query.call),
        provider_message_id: query.provider_message_id.clone(),
        submitted_at_ms: query.submitted_at.0,
    }
}

/// A response.
pub(crate) fn response(response: &HttpResponse) -> wit::HttpResponse {
    wit::HttpResponse {
        status: response.status,
        headers: response.headers.clone(),
        body: response.body.to_vec(),
    }
}

/// A webhook.
pub(crate) fn webhook(webhook: &Webhook) -> wit::Webhook {
    wit::Webhook {
        method: method(webhook.method),
        url: webhook.url.clone(),
        headers: webhook.headers.clone(),
        body: webhook.body.to_vec(),
        received_at_ms: webhook.received_at.0,
    }
}

fn method(method: Method) -> wit::Method {
    match method {
        Method::Get => wit::Method::Get,
        Method::Post => wit::Method::Post,
        Method::Put => wit::Method::Put,
        Method::Patch => wit::Method::Patch,
        Method::Delete => wit::Method::Delete,
    }
}

fn destination(to: &Destination) -> wit::Destination {
    match to {
        Destination::Sms(phone) => wit::Destination::Sms(phone.as_str().to_owned()),
        Destination::Email(email) => wit::Destination::Email(email.as_str().to_owned()),
        Destination::Whatsapp(phone) => wit::Destination::Whatsapp(phone.as_str().to_owned()),
        Destination::Push(push) => wit::Destination::Push(wit::PushToken {
            token: push.token.clone(),
            platform: push.platform.map(|platform| platform_name(platform).to_owned()),
        }),
    }
}

fn platform_name(platform: Platform) -> &'static str {
    match platform {
        Platform::Android => "android",
        Platform::Ios => "ios",
        Platform::Web => "web",
    }
}

fn content(content: &ChannelContent) -> wit::Content {
    match content {
        ChannelContent::Sms(sms) => {
            wit::Content::Sms(wit::SmsContent { text: sms.text.clone(), media_urls: sms.media_urls.clone() })
        }
        ChannelContent::Email(body) => wit::Content::Email(email(body)),
        ChannelContent::Push(body) => wit::Content::Push(push(body)),
        ChannelContent::Whatsapp(body) => wit::Content::Whatsapp(whatsapp(body)),
    }
}

fn email(email: &EmailBody) -> wit::EmailContent {
    let attachments = email.attachments.iter().map(|file| wit::Attachment {
        filename: file.filename.clone(),
        content_type: file.content_type.clone(),
        content_base64: file.content_base64.clone(),
        content_id: file.content_id.clone(),
    });
    wit::EmailContent {
        subject: email.subject.clone().unwrap_or_default(),
        text: email.text.clone(),
        html: email.html.clone(),
        reply_to: email.reply_to.clone(),
        list_unsubscribe: email.list_unsubscribe.clone(),
        attachments: attachments.collect(),
    }
}

fn push(push: &Push) -> wit::PushContent {
    let object = |map: &Map<String, Value>| (!map.is_empty()).then(|| json(map));
    wit::PushContent {
        title: push.title.clone(),
        body: push.body.clone(),
        data: push.data.iter().map(|(name, text)| (name.clone(), text.clone())).collect(),
        android: object(&push.android),
        apns: object(&push.apns),
        webpush: object(&push.webpush),
    }
}

fn whatsapp(whatsapp: &Whatsapp) -> wit::WhatsappContent {
    let object = |value: &Option<Value>| value.as_ref().map(Value::to_string);
    wit::WhatsappContent {
        text: whatsapp.text.clone(),
        media: object(&whatsapp.media),
        template: object(&whatsapp.template),
        fallback_template: object(&whatsapp.fallback_template),
    }
}

fn json(map: &Map<String, Value>) -> String {
    serde_json::to_string(map).unwrap_or_default() // A map of JSON values always prints.
}
