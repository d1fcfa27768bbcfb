//! The texts of a content, one by one.

use hermes_domain::{
    content::{Content, EmailBody, Push, Sms, Whatsapp},
    locale::Locale,
};
use serde_json::{Map, Value};

/// How a text is treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PartKind {
    /// As it is. HTML is told from other texts by [`is_html`].
    Text,
    /// One line: a subject must not be able to begin another header.
    Line,
}

/// One text.
pub(crate) struct Part<'a> {
    /// JSON pointer within the version.
    pub(crate) pointer: &'a str,
    pub(crate) kind: PartKind,
    pub(crate) source: &'a str,
}

/// Whether the text at `pointer` is HTML.
pub(crate) fn is_html(pointer: &str) -> bool {
    pointer.ends_with("/email/html")
}

/// Where the content of a language lies.
pub(crate) fn root(locale: &Locale) -> String {
    format!("/locales/{locale}")
}

/// Makes content from content, text by text. Texts that come out empty are left out, but for those that
/// an app or a WhatsApp template may expect to be there.
pub(crate) fn map<E>(
    content: &Content,
    root: String,
    make: &mut dyn FnMut(Part<'_>) -> Result<String, E>,
) -> Result<Content, E> {
    let mut walk = Walk { pointer: root, make };
    Ok(Content {
        text: walk.text("text", content.text.as_deref())?,
        subject: walk.line("subject", content.subject.as_deref())?,
        sms: walk.block("sms", content.sms.as_ref(), Walk::sms)?,
        email: walk.block("email", content.email.as_ref(), Walk::email)?,
        push: walk.block("push", content.push.as_ref(), Walk::push)?,
        whatsapp: walk.block("whatsapp", content.whatsapp.as_ref(), Walk::whatsapp)?,
    })
}

struct Walk<'a, E> {
    pointer: String,
    make: &'a mut dyn FnMut(Part<'_>) -> Result<String, E>,
}

impl<E> Walk<'_, E> {
    fn below<T>(&mut self, name: &str, walk: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let made = walk(self);
        self.pointer.truncate(length);
        made
    }

    fn made(&mut self, kind: PartKind, source: &str) -> Result<String, E> {
        (self.make)(Part { pointer: &self.pointer, kind, source })
    }

    fn field(&mut self, name: &str, kind: PartKind, source: Option<&str>) -> Result<Option<String>, E> {
        let Some(source) = source else { return Ok(None) };
        let made = self.below(name, |walk| walk.made(kind, source))?;
        Ok(Some(made).filter(|made| !made.is_empty()))
    }

    fn text(&mut self, name: &str, source: Option<&str>) -> Result<Option<String>, E> {
        self.field(name, PartKind::Text, source)
    }

    fn line(&mut self, name: &str, source: Option<&str>) -> Result<Option<String>, E> {
        self.field(name, PartKind::Line, source)
    }

    fn block<T>(
        &mut self,
        name: &str,
        block: Option<&T>,
        walk: impl FnOnce(&mut Self, &T) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        block.map(|block| self.below(name, |inner| walk(inner, block))).transpose()
    }

    fn sms(&mut self, sms: &Sms) -> Result<Sms, E> {
        Ok(Sms { text: self.text("text", sms.text.as_deref())?, media_urls: sms.media_urls.clone() })
    }

    fn email(&mut self, email: &EmailBody) -> Result<EmailBody, E> {
        Ok(EmailBody {
            subject: self.line("subject", email.subject.as_deref())?,
            text: self.text("text", email.text.as_deref())?,
            html: self.text("html", email.html.as_deref())?,
            reply_to: self.line("reply_to", email.reply_to.as_deref())?,
            list_unsubscribe: self.line("list_unsubscribe", email.list_unsubscribe.as_deref())?,
            attachments: email.attachments.clone(),
        })
    }

    fn push(&mut self, push: &Push) -> Result<Push, E> {
        let (title, body) =
            (self.line("title", push.title.as_deref())?, self.text("body", push.body.as_deref())?);
        let data = self.below("data", |walk| {
            let entry = |(name, source): (&String, &String)| {
                let made = walk.below(name, |walk| walk.made(PartKind::Text, source))?;
                Ok((name.clone(), made))
            };
            push.data.iter().map(entry).collect::<Result<_, E>>()
        })?;
        Ok(Push { title, body, data, ..push.clone() })
    }

    fn whatsapp(&mut self, whatsapp: &Whatsapp) -> Result<Whatsapp, E> {
        let text = self.text("text", whatsapp.text.as_deref())?;
        let template = self.block("template", whatsapp.template.as_ref(), Self::value)?;
        Ok(Whatsapp { text, template, ..whatsapp.clone() })
    }

    /// Every text inside a JSON value; names of fields are no templates.
    fn value(&mut self, value: &Value) -> Result<Value, E> {
        match value {
            Value::String(source) => self.made(PartKind::Text, source).map(Value::String),
            Value::Array(entries) => {
                let entry = |(index, entry): (usize, &Value)| {
                    self.below(&index.to_string(), |walk| walk.value(entry))
                };
                entries.iter().enumerate().map(entry).collect::<Result<_, E>>().map(Value::Array)
            }
            Value::Object(fields) => {
                let field = |(name, field): (&String, &Value)| {
                    Ok((name.clone(), self.below(name, |walk| walk.value(field))?))
                };
                fields.iter().map(field).collect::<Result<Map<_, _>, E>>().map(Value::Object)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        }
    }
}
