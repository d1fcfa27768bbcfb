//! The shape of a `SendEmail` request, as in the service model. Members that are not here are ignored, as AWS
//! ignores them.

use serde::Deserialize;

/// `SendEmailRequest`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmail {
    pub(super) from_email_address: Option<String>,
    pub(super) destination: Option<Destination>,
    pub(super) reply_to_addresses: Option<Vec<String>>,
    pub(super) content: Option<Content>,
    pub(super) email_tags: Option<Vec<Tag>>,
    pub(super) configuration_set_name: Option<String>,
    pub(super) tenant_name: Option<String>,
    pub(super) list_management_options: Option<ListManagementOptions>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Destination {
    to_addresses: Option<Vec<String>>,
    cc_addresses: Option<Vec<String>>,
    bcc_addresses: Option<Vec<String>>,
}

impl Destination {
    /// All recipients: To, then Cc, then Bcc.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &String> {
        [&self.to_addresses, &self.cc_addresses, &self.bcc_addresses].into_iter().flatten().flatten()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Content {
    pub(super) simple: Option<Simple>,
    pub(super) raw: Option<Raw>,
    pub(super) template: Option<Template>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Simple {
    pub(super) subject: Option<Text>,
    pub(super) body: Option<Body>,
    pub(super) headers: Option<Vec<Header>>,
    pub(super) attachments: Option<Vec<Attachment>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Body {
    pub(super) text: Option<Text>,
    pub(super) html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Text {
    pub(super) data: Option<String>,
    /// Only its type matters here.
    #[expect(dead_code, reason = "a charset that is not a string is refused")]
    charset: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Raw {
    pub(super) data: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Template {
    pub(super) template_name: Option<String>,
    pub(super) template_arn: Option<String>,
    pub(super) template_content: Option<TemplateContent>,
    pub(super) template_data: Option<String>,
    pub(super) headers: Option<Vec<Header>>,
    pub(super) attachments: Option<Vec<Attachment>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TemplateContent {
    pub(super) subject: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Header {
    pub(super) name: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attachment {
    pub(super) raw_content: Option<String>,
    pub(super) file_name: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_transfer_encoding: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListManagementOptions {
    pub(super) contact_list_name: Option<String>,
}

impl SendEmail {
    /// The subject, where the request says it in plain.
    pub(super) fn subject(&self) -> Option<&str> {
        let content = self.content.as_ref()?;
        let simple = content.simple.as_ref().and_then(|simple| simple.subject.as_ref()?.data.as_deref());
        let template = || content.template.as_ref()?.template_content.as_ref()?.subject.as_deref();
        simple.or_else(template)
    }

    /// The value of an email tag.
    pub(super) fn tag(&self, name: &str) -> Option<&str> {
        self.email_tags.iter().flatten().find(|tag| tag.name == name).map(|tag| &*tag.value)
    }

    pub(super) fn first_recipient(&self) -> &str {
        self.destination.as_ref().and_then(|destination| destination.recipients().next()).map_or("", |to| to)
    }
}

/// `a@b.c` out of `a@b.c` or `Name <a@b.c>`.
pub(super) fn bare_address(address: &str) -> &str {
    let inner = address.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>'));
    inner.unwrap_or(address).trim()
}
