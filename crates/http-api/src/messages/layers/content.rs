//! The content layer: what no provider would or should take.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hermes_domain::{address::Email, content::Content, policy::TenantPolicy};

use super::links::{self, SHORTENERS};
use crate::problem::{Code, Fault, Problem};

/// Longest SMS, in characters: what carriers join from segments.
pub(crate) const SMS_CHARS_MAX: usize = 1_600;

/// What marks a place that a name should have been put into: its beginning and its end.
const PLACEHOLDERS: [(&str, &str); 4] = [("{{", "}}"), ("{%", "%}"), ("${", "}"), ("<%", "%>")];

/// Where the only text is that is HTML.
const HTML: &str = "/content/email/html";

/// Longest placeholder that is looked for, in bytes.
const PLACEHOLDER_BYTES_MAX: usize = 100;

/// Endings of files that mail providers turn away. Source: Amazon SES, "unsupported attachment types".
#[rustfmt::skip]
const FILES_REFUSED: [&str; 90] = [
    "ade", "adp", "app", "asp", "bas", "bat", "cer", "chm", "cmd", "com", "cpl", "crt", "csh", "der", "exe", "fxp",
    "gadget", "hlp", "hta", "inf", "ins", "isp", "its", "js", "jse", "ksh", "lib", "lnk", "mad", "maf", "mag", "mam",
    "maq", "mar", "mas", "mat", "mau", "mav", "maw", "mda", "mdb", "mde", "mdt", "mdw", "mdz", "msc", "msh", "msh1",
    "msh2", "mshxml", "msh1xml", "msh2xml", "msi", "msp", "mst", "ops", "pcd", "pif", "plg", "prf", "prg", "reg", "scf",
    "scr", "sct", "shb", "shs", "sys", "ps1", "ps1xml", "ps2", "ps2xml", "psc1", "psc2", "tmp", "url", "vb", "vbe", "vbs",
    "vps", "vsmacros", "vss", "vst", "vsw", "vxd", "ws", "wsc", "wsf", "wsh", "xnk",
];

/// Refuses content with every fault; `uses_sms` says whether an SMS would be made of it.
pub(crate) fn check(policy: &TenantPolicy, content: &Content, uses_sms: bool) -> Result<(), Problem> {
    let mut faults = Vec::new();
    for (pointer, text) in texts(content) {
        placeholders(pointer, text, &mut faults);
        forbidden_links(policy, pointer, text, &mut faults);
    }
    if uses_sms {
        sms(content, &mut faults);
    }
    single_line("/content/subject", content.subject.as_deref(), &mut faults);
    email(content, &mut faults);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::new(Code::ContentRejected, "The content cannot be sent; see `errors`.").with_faults(faults))
}

/// Every text that a person would read, with its place.
fn texts(content: &Content) -> impl Iterator<Item = (&'static str, &str)> {
    let (sms, email, push) = (content.sms.as_ref(), content.email.as_ref(), content.push.as_ref());
    let whatsapp = content.whatsapp.as_ref();
    let all = [
        ("/content/text", content.text.as_deref()),
        ("/content/subject", content.subject.as_deref()),
        ("/content/sms/text", sms.and_then(|sms| sms.text.as_deref())),
        ("/content/email/subject", email.and_then(|email| email.subject.as_deref())),
        ("/content/email/text", email.and_then(|email| email.text.as_deref())),
        (HTML, email.and_then(|email| email.html.as_deref())),
        ("/content/push/title", push.and_then(|push| push.title.as_deref())),
        ("/content/push/body", push.and_then(|push| push.body.as_deref())),
        ("/content/whatsapp/text", whatsapp.and_then(|whatsapp| whatsapp.text.as_deref())),
    ];
    all.into_iter().filter_map(|(pointer, text)| Some((pointer, text?)))
}

/// A person should never read `Dear {{name}}`.
fn placeholders(pointer: &str, text: &str, faults: &mut Vec<Fault>) {
    let found = PLACEHOLDERS.iter().any(|(begin, end)| {
        text.match_indices(begin).any(|(at, _)| {
            let rest = &text.as_bytes()[at + begin.len()..];
            let near = &rest[..rest.len().min(PLACEHOLDER_BYTES_MAX)];
            near.windows(end.len()).any(|window| window == end.as_bytes())
        })
    });
    if found {
        let detail = "expected a finished text: a placeholder such as {{name}} was not replaced";
        faults.push(Fault::new(pointer, "placeholder", detail));
    }
}

fn forbidden_links(policy: &TenantPolicy, pointer: &str, text: &str, faults: &mut Vec<Fault>) {
    if policy.forbidden_hosts.is_empty() && !policy.refuse_shorteners {
        return;
    }
    let hosts = if pointer == HTML { links::hosts_in_html(text) } else { links::hosts(text) };
    let forbidden = |host: &String| policy.forbidden_hosts.iter().any(|domain| links::is_below(host, domain));
    let shortener = |host: &String| {
        policy.refuse_shorteners && SHORTENERS.iter().any(|domain| links::is_below(host, domain))
    };
    for host in hosts {
        if forbidden(&host) {
            faults.push(Fault::new(pointer, "link_forbidden", format!("links to {host} are not allowed")));
        } else if shortener(&host) {
            let detail =
                format!("{host} is a public link shortener, which carriers filter; use a domain of your own");
            faults.push(Fault::new(pointer, "link_shortener", detail));
        }
    }
}

/// Whether a name leads out of the folder that its recipient keeps it in.
fn has_folder(filename: &str) -> bool {
    filename.contains(['/', '\\']) || filename == "." || filename == ".."
}

fn is_refused_file(filename: &str) -> bool {
    let ending =
        filename.trim_end_matches([' ', '.']).rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| FILES_REFUSED.contains(&ending.as_str()))
}

fn sms(content: &Content, faults: &mut Vec<Fault>) {
    let own = content.sms.as_ref().and_then(|sms| sms.text.as_deref());
    let (pointer, text) = match own {
        Some(text) => ("/content/sms/text", text),
        None => ("/content/text", content.text.as_deref().unwrap_or_default()),
    };
    if text.len() > SMS_CHARS_MAX && text.chars().count() > SMS_CHARS_MAX {
        let detail =
            format!("an SMS has at most {SMS_CHARS_MAX} characters; give content.sms a text of its own");
        faults.push(Fault::new(pointer, "too_long", detail));
    }
}

fn email(content: &Content, faults: &mut Vec<Fault>) {
    let Some(email) = &content.email else { return };
    single_line("/content/email/subject", email.subject.as_deref(), faults);
    if email.reply_to.as_deref().is_some_and(|address| Email::parse(address).is_err()) {
        faults.push(Fault::new("/content/email/reply_to", "email_invalid", "expected an email address"));
    }
    for (index, attachment) in email.attachments.iter().enumerate() {
        let pointer = |field: &str| format!("/content/email/attachments/{index}/{field}");
        single_line(&pointer("filename"), Some(&attachment.filename), faults);
        if has_folder(&attachment.filename) {
            let detail = "expected a file's name without folders";
            faults.push(Fault::new(pointer("filename"), "filename", detail));
        } else if is_refused_file(&attachment.filename) {
            let detail =
                "mail providers turn files of this kind away; put it into an archive or behind a link";
            faults.push(Fault::new(pointer("filename"), "file_type", detail));
        }
        single_line(&pointer("content_id"), attachment.content_id.as_deref(), faults);
        if !is_media_type(&attachment.content_type) {
            faults.push(Fault::new(
                pointer("content_type"),
                "media_type",
                "expected a media type such as text/plain",
            ));
        }
        if STANDARD.decode(&attachment.content_base64).is_err() {
            faults.push(Fault::new(
                pointer("content_base64"),
                "base64",
                "expected standard base64 with padding",
            ));
        }
    }
}

/// What ends up in a header must not be able to begin another one.
fn single_line(pointer: &str, text: Option<&str>, faults: &mut Vec<Fault>) {
    if text.is_some_and(|text| text.chars().any(char::is_control)) {
        faults.push(Fault::new(
            pointer,
            "control_character",
            "expected a single line without control characters",
        ));
    }
}

fn is_media_type(text: &str) -> bool {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    printable && text.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
}
