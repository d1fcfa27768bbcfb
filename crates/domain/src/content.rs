//! What a message says, per channel. `Debug` never shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt};

use crate::address::Channel;

/// Longest subject or title taken from the first line of a text, in characters.
const TITLE_CHARS_MAX: usize = 78;

/// Content as a tenant gave it: a common text and, where wanted, a block per channel.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Content {
    /// Used by every channel that has no block of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Email subject and push title where their blocks name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// SMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<Sms>,
    /// Email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailBody>,
    /// Push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<Push>,
    /// WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whatsapp: Option<Whatsapp>,
}

/// SMS or MMS content.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sms {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Media for MMS, at most 10 https URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_urls: Vec<String>,
}

/// Email content.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EmailBody {
    /// Subject line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Where replies go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// An https URL for one-click unsubscription (RFC 8058).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_unsubscribe: Option<String>,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// A file that goes with an email.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Name shown to the recipient.
    pub filename: String,
    /// Media type.
    pub content_type: String,
    /// The file in standard base64.
    pub content_base64: String,
    /// For inline images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
}

/// Push content.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Push {
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// For the app: strings only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
    /// FCM's `android` object, passed on.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub android: Map<String, Value>,
    /// FCM's `apns` object, passed on.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub apns: Map<String, Value>,
    /// FCM's `webpush` object, passed on.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub webpush: Map<String, Value>,
}

/// WhatsApp content.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Whatsapp {
    /// Free text, allowed inside the 24-hour window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Media object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Value>,
    /// Approved template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Value>,
    /// Template to use when free text is refused outside the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_template: Option<Value>,
}

/// Content of one attempt: defaults filled in for its channel.
#[derive(Clone, PartialEq)]
pub enum ChannelContent {
    /// SMS or MMS; text may be empty only when there is media.
    Sms(Sms),
    /// Email with a subject and at least one body.
    Email(EmailBody),
    /// Push with a title or a body or data.
    Push(Push),
    /// WhatsApp.
    Whatsapp(Whatsapp),
}

impl Content {
    /// Whether there is something else to say on `channel` where a provider refuses the first choice.
    pub fn has_alternate(&self, channel: Channel) -> bool {
        let whatsapp = self.whatsapp.as_ref().filter(|_| channel == Channel::Whatsapp);
        whatsapp.is_some_and(|whatsapp| whatsapp.fallback_template.is_some())
    }

    /// Content for `channel`, with `text` and `subject` filled in where its block has none.
    ///
    /// `None` when nothing would be left to say on that channel.
    pub fn for_channel(&self, channel: Channel) -> Option<ChannelContent> {
        match channel {
            Channel::Sms => self.for_sms().map(ChannelContent::Sms),
            Channel::Email => self.for_email().map(ChannelContent::Email),
            Channel::Push => self.for_push().map(ChannelContent::Push),
            Channel::Whatsapp => self.for_whatsapp().map(ChannelContent::Whatsapp),
        }
    }

    /// Whether [`Self::for_channel`] would find something to say, without making it.
    pub fn serves(&self, channel: Channel) -> bool {
        let common = self.text.is_some();
        match channel {
            Channel::Sms => {
                let own = self.sms.as_ref();
                let text = own.and_then(|sms| sms.text.as_ref()).or(self.text.as_ref());
                text.is_some_and(|text| !text.is_empty()) || own.is_some_and(|sms| !sms.media_urls.is_empty())
            }
            Channel::Email => {
                common || self.email.as_ref().is_some_and(|own| own.text.is_some() || own.html.is_some())
            }
            Channel::Push => {
                let says = |own: &Push| own.title.is_some() || own.body.is_some() || !own.data.is_empty();
                common || self.subject.is_some() || self.push.as_ref().is_some_and(says)
            }
            Channel::Whatsapp => {
                let says =
                    |own: &Whatsapp| own.text.is_some() || own.media.is_some() || own.template.is_some();
                common || self.whatsapp.as_ref().is_some_and(says)
            }
        }
    }

    fn for_sms(&self) -> Option<Sms> {
        let mut sms = self.sms.clone().unwrap_or_default();
        sms.text = sms.text.or_else(|| self.text.clone()).filter(|text| !text.is_empty());
        (sms.text.is_some() || !sms.media_urls.is_empty()).then_some(sms)
    }

    fn for_email(&self) -> Option<EmailBody> {
        let mut email = self.email.clone().unwrap_or_default();
        if email.html.is_none() {
            email.text = email.text.or_else(|| self.text.clone());
        }
        let title = self.title(email.text.as_deref());
        email.subject = email.subject.or(title);
        (email.text.is_some() || email.html.is_some()).then_some(email)
    }

    fn for_push(&self) -> Option<Push> {
        let mut push = self.push.clone().unwrap_or_default();
        push.body = push.body.or_else(|| self.text.clone());
        push.title = push.title.or_else(|| self.subject.clone());
        (push.title.is_some() || push.body.is_some() || !push.data.is_empty()).then_some(push)
    }

    fn for_whatsapp(&self) -> Option<Whatsapp> {
        let mut whatsapp = self.whatsapp.clone().unwrap_or_default();
        if whatsapp.template.is_none() && whatsapp.media.is_none() {
            whatsapp.text = whatsapp.text.or_else(|| self.text.clone());
        }
        let any = whatsapp.text.is_some() || whatsapp.media.is_some() || whatsapp.template.is_some();
        any.then_some(whatsapp)
    }

    fn title(&self, text: Option<&str>) -> Option<String> {
        let first_line = || {
            text.or(self.text.as_deref())?
                .lines()
                .next()
                .map(|line| line.chars().take(TITLE_CHARS_MAX).collect())
        };
        self.subject.clone().or_else(first_line)
    }
}

macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
opaque_debug!(Content, Sms, EmailBody, Attachment, Push, Whatsapp, ChannelContent);

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Content {
        Content { text: Some(text.to_owned()), ..Content::default() }
    }

    #[test]
    fn a_common_text_serves_every_channel() {
        let content = text("Order 1042 has shipped\nThank you");
        let Some(ChannelContent::Email(email)) = content.for_channel(Channel::Email) else {
            panic!("no email")
        };
        assert_eq!(email.subject.as_deref(), Some("Order 1042 has shipped"));
        for channel in Channel::ALL {
            assert!(content.for_channel(channel).is_some(), "{channel:?}");
        }
    }

    #[test]
    fn a_channel_with_nothing_to_say_is_none() {
        let content = Content {
            sms: Some(Sms { text: Some("only here".into()), media_urls: vec![] }),
            ..Content::default()
        };
        assert!(content.for_channel(Channel::Sms).is_some());
        assert!(content.for_channel(Channel::Email).is_none());
    }

    #[test]
    fn whether_a_channel_is_served_is_told_without_making_its_content() {
        let subject = Content { subject: Some("s".into()), ..Content::default() };
        let html = EmailBody { html: Some("<p>".into()), ..EmailBody::default() };
        let media = Sms { text: None, media_urls: vec!["https://example.com/a.png".into()] };
        let data = Push { data: BTreeMap::from([("k".into(), "v".into())]), ..Push::default() };
        let template = Whatsapp { template: Some(Value::Null), ..Whatsapp::default() };
        let fallback = Whatsapp { fallback_template: Some(Value::Null), ..Whatsapp::default() };
        let all = [
            Content::default(),
            text("t"),
            text(""),
            subject,
            Content { email: Some(html), ..Content::default() },
            Content { email: Some(EmailBody::default()), ..Content::default() },
            Content { sms: Some(media), ..Content::default() },
            Content { push: Some(data), ..Content::default() },
            Content { whatsapp: Some(template), ..Content::default() },
            Content { whatsapp: Some(fallback), ..Content::default() },
        ];
        for (index, content) in all.iter().enumerate() {
            for channel in Channel::ALL {
                assert_eq!(
                    content.serves(channel),
                    content.for_channel(channel).is_some(),
                    "{index} {channel:?}"
                );
            }
        }
    }

    #[test]
    fn debug_output_hides_content() {
        assert!(!format!("{:?}", text("secret")).contains("secret"));
    }
}
