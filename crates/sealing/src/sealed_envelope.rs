//! How a message's envelope is stored: what is personal in it encrypted, the rest as it is.
//!
//! A sealed envelope is `format (1) = 2 | number of keys (1) | id of each (8) | length of the open part (4) | open part
//! | nonce (24) | ciphertext and tag`, numbers most significant byte first. Everything before the nonce is authenticated.
//! The open part is the envelope's JSON without recipient, content, metadata and warnings; those are the ciphertext.
//! Without keys nothing follows the open part: the personal part has been taken out for good.
//!
//! The message's key is derived from the data keys of all its addresses and its id. So losing any one data key loses
//! the message, and no two messages share a key.
//!
//! Version 1 was the whole envelope as JSON, which begins with `{`. It is still read.

use std::{collections::BTreeMap, fmt};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hermes_domain::{
    MessageId, UnixMillis,
    address::{Channel, Recipient},
    content::Content,
    message::{CascadeUse, Envelope, HeldFor, Lane, Mode, Warning},
    money::Money,
    plan::Plan,
    template::TemplateUse,
};
use serde::{Deserialize, Serialize};

use crate::{DataKey, KeyId, data_key::mac};

const FORMAT: u8 = 2;
const NONCE_BYTES: usize = 24;

/// Why an envelope could not be sealed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Too short, of an unknown format, or not what JSON of an envelope looks like.
    #[error("the stored envelope has an unknown form")]
    Format,
    /// Altered, or opened with other keys than those that sealed it.
    #[error("the stored envelope is not authentic")]
    Forged,
    /// The system gave no random bytes.
    #[error("no random bytes available")]
    NoRandomness,
}

/// An envelope as stored, not opened yet.
#[derive(Debug)]
pub enum StoredEnvelope<'a> {
    /// Version 1, or one whose personal part was taken out.
    Readable(Box<Envelope>),
    /// Needs the keys of [`SealedEnvelope::keys`].
    Sealed(SealedEnvelope<'a>),
}

/// An envelope whose personal part is encrypted.
#[derive(Debug)]
pub struct SealedEnvelope<'a> {
    keys: Vec<KeyId>,
    /// All that is authenticated.
    head: &'a [u8],
    open: &'a [u8],
    nonce: [u8; NONCE_BYTES],
    secret: &'a [u8],
}

/// Everything but what is personal. Reads as an [`Envelope`].
#[derive(Serialize)]
struct OpenPart<'a> {
    v: u8,
    id: MessageId,
    tenant: hermes_domain::TenantId,
    mode: Mode,
    to: Recipient,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a TemplateUse>,
    plan: &'a Plan,
    #[serde(skip_serializing_if = "Option::is_none")]
    cascade: Option<CascadeUse>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sender: &'a BTreeMap<Channel, String>,
    lane: Lane,
    #[serde(skip_serializing_if = "Option::is_none")]
    send_at: Option<UnixMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_for: Option<HeldFor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_cost: Option<Money>,
    expires_at: UnixMillis,
    created_at: UnixMillis,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redrive_of: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<UnixMillis>,
}

/// What is personal.
#[derive(Serialize)]
struct PersonalPart<'a> {
    to: &'a Recipient,
    content: &'a Content,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Warning],
}

/// The same, read back.
#[derive(Deserialize)]
struct Personal {
    to: Recipient,
    content: Content,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    warnings: Vec<Warning>,
}

/// Both parts of an envelope. Names every field: a new one belongs to one of them, and does not compile until somebody
/// has decided to which.
fn parts(envelope: &Envelope, erased_at: Option<UnixMillis>) -> (OpenPart<'_>, PersonalPart<'_>) {
    let Envelope {
        v,
        id,
        tenant,
        mode,
        to,
        country,
        content,
        template,
        plan,
        cascade,
        sender,
        lane,
        send_at,
        held_for,
        max_cost,
        expires_at,
        created_at,
        tags,
        metadata,
        warnings,
        traceparent,
        redrive_of,
        erased_at: _,
    } = envelope;
    let open = OpenPart {
        v: *v,
        id: *id,
        tenant: *tenant,
        mode: *mode,
        to: Recipient::default(),
        country: country.as_deref(),
        content: Content::default(),
        template: template.as_ref(),
        plan,
        cascade: *cascade,
        sender,
        lane: *lane,
        send_at: *send_at,
        held_for: *held_for,
        max_cost: *max_cost,
        expires_at: *expires_at,
        created_at: *created_at,
        tags,
        traceparent: traceparent.as_deref(),
        redrive_of: *redrive_of,
        erased_at,
    };
    (open, PersonalPart { to, content, metadata, warnings })
}

/// An envelope in two parts, ready to be sealed.
pub struct Unsealed {
    id: MessageId,
    open: Vec<u8>,
    personal: Vec<u8>,
}

impl Unsealed {
    /// Takes an envelope apart.
    ///
    /// # Errors
    /// `Format` for one that is no JSON.
    pub fn of(envelope: &Envelope) -> Result<Self, EnvelopeError> {
        let (open, personal) = parts(envelope, envelope.erased_at);
        let open = serde_json::to_vec(&open).map_err(|_| EnvelopeError::Format)?;
        let personal = serde_json::to_vec(&personal).map_err(|_| EnvelopeError::Format)?;
        Ok(Self { id: envelope.id, open, personal })
    }

    /// Seals it under the keys of all its addresses, in the order in which they will be asked for.
    ///
    /// # Errors
    /// `NoRandomness`; `Format` without a key or with more than 255.
    pub fn seal(&self, keys: &[(KeyId, DataKey)]) -> Result<Vec<u8>, EnvelopeError> {
        if keys.is_empty() {
            return Err(EnvelopeError::Format);
        }
        let mut sealed = head(&self.open, keys.iter().map(|(id, _)| *id))?;
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| EnvelopeError::NoRandomness)?;
        let payload = Payload { msg: &self.personal, aad: &sealed };
        let cipher = cipher(self.id, keys.iter().map(|(_, key)| key));
        let secret = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| EnvelopeError::Forged)?;
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&secret);
        Ok(sealed)
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsealed").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The envelope for good without what is personal in it.
///
/// # Errors
/// `Format` for one that is no JSON.
pub fn without_personal(envelope: &Envelope, erased_at: UnixMillis) -> Result<Vec<u8>, EnvelopeError> {
    let open = serde_json::to_vec(&parts(envelope, Some(erased_at)).0).map_err(|_| EnvelopeError::Format)?;
    head(&open, std::iter::empty())
}

fn head(open: &[u8], keys: impl ExactSizeIterator<Item = KeyId>) -> Result<Vec<u8>, EnvelopeError> {
    let count = u8::try_from(keys.len()).map_err(|_| EnvelopeError::Format)?;
    let length = u32::try_from(open.len()).map_err(|_| EnvelopeError::Format)?;
    let mut head = vec![FORMAT, count];
    keys.for_each(|id| head.extend_from_slice(&id.0.to_be_bytes()));
    head.extend_from_slice(&length.to_be_bytes());
    head.extend_from_slice(open);
    Ok(head)
}

fn cipher<'a>(id: MessageId, keys: impl Iterator<Item = &'a DataKey>) -> XChaCha20Poly1305 {
    let all: Vec<u8> = keys.flat_map(|key| key.0).collect();
    XChaCha20Poly1305::new((&mac(&all, &[b"hermes envelope 2", &id.as_u128().to_be_bytes()])).into())
}

impl<'a> StoredEnvelope<'a> {
    /// Reads what can be read without keys.
    ///
    /// # Errors
    /// `Format`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        if bytes.first() != Some(&FORMAT) {
            let envelope = serde_json::from_slice(bytes).map_err(|_| EnvelopeError::Format)?;
            return Ok(Self::Readable(envelope));
        }
        let sealed = SealedEnvelope::parse(bytes).ok_or(EnvelopeError::Format)?;
        if sealed.keys.is_empty() {
            let envelope = serde_json::from_slice(sealed.open).map_err(|_| EnvelopeError::Format)?;
            return Ok(Self::Readable(envelope));
        }
        Ok(Self::Sealed(sealed))
    }

    /// The keys that are needed to open these bytes; none where they can be read without.
    pub fn keys_of(bytes: &[u8]) -> Vec<KeyId> {
        let sealed = (bytes.first() == Some(&FORMAT)).then(|| SealedEnvelope::parse(bytes)).flatten();
        sealed.map(|sealed| sealed.keys).unwrap_or_default()
    }

    /// Whether these bytes hold something personal in plain text.
    pub fn is_plain(bytes: &[u8]) -> bool {
        bytes.first() != Some(&FORMAT)
    }
}

impl<'a> SealedEnvelope<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let count = usize::from(*bytes.get(1)?);
        let (ids, rest) = bytes.get(2..)?.split_at_checked(count * 8)?;
        let keys = ids.chunks_exact(8).filter_map(|id| Some(KeyId(i64::from_be_bytes(id.try_into().ok()?))));
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (open, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let head = bytes.get(..bytes.len() - rest.len())?;
        let (nonce, secret) = if count == 0 {
            ([0; NONCE_BYTES], rest)
        } else {
            let (nonce, secret) = rest.split_first_chunk::<NONCE_BYTES>()?;
            (*nonce, secret)
        };
        Some(Self { keys: keys.collect(), head, open, nonce, secret })
    }

    /// The keys it needs, each once.
    pub fn keys(&self) -> &[KeyId] {
        &self.keys
    }

    /// Opens it with the keys of [`Self::keys`], in their order.
    ///
    /// # Errors
    /// `Forged`, `Format`.
    pub fn open(&self, keys: &[DataKey]) -> Result<Envelope, EnvelopeError> {
        let mut envelope: Envelope = serde_json::from_slice(self.open).map_err(|_| EnvelopeError::Format)?;
        let payload = Payload { msg: self.secret, aad: self.head };
        let plain = cipher(envelope.id, keys.iter()).decrypt(&XNonce::from(self.nonce), payload);
        let plain = plain.map_err(|_| EnvelopeError::Forged)?;
        let Personal { to, content, metadata, warnings } =
            serde_json::from_slice(&plain).map_err(|_| EnvelopeError::Format)?;
        (envelope.to, envelope.content) = (to, content);
        (envelope.metadata, envelope.warnings) = (metadata, warnings);
        Ok(envelope)
    }

    /// What is left of it once one of its keys was destroyed, which was at `erased_at`.
    ///
    /// # Errors
    /// `Format`.
    pub fn erased(&self, erased_at: UnixMillis) -> Result<Envelope, EnvelopeError> {
        let mut envelope: Envelope = serde_json::from_slice(self.open).map_err(|_| EnvelopeError::Format)?;
        envelope.erased_at = Some(erased_at);
        Ok(envelope)
    }
}

#[cfg(test)]
mod tests {
    use hermes_testkit::{START, envelope};

    use super::*;

    fn keys() -> Vec<(KeyId, DataKey)> {
        (1..=3).map(|id| (KeyId(id), DataKey::random().unwrap())).collect()
    }

    fn seal(envelope: &Envelope, keys: &[(KeyId, DataKey)]) -> Vec<u8> {
        Unsealed::of(envelope).unwrap().seal(keys).unwrap()
    }

    fn sealed(bytes: &[u8]) -> SealedEnvelope<'_> {
        match StoredEnvelope::read(bytes).unwrap() {
            StoredEnvelope::Sealed(sealed) => sealed,
            StoredEnvelope::Readable(_) => panic!("it is readable without keys"),
        }
    }

    fn personal() -> std::sync::Arc<Envelope> {
        let warning = Warning { code: "w".into(), detail: "planted-warning".into(), pointer: String::new() };
        envelope()
            .tag("order")
            .with(|envelope| {
                envelope.metadata.insert("name".into(), "planted-name".into());
                envelope.warnings.push(warning);
                envelope.redrive_of = Some(envelope.id);
            })
            .build()
    }

    #[test]
    fn nothing_personal_is_readable_and_everything_comes_back() {
        let (envelope, keys) = (personal(), keys());
        let bytes = Unsealed::of(&envelope).unwrap().seal(&keys).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for planted in ["20123456", "example.dk", "a-token", "Order 1042", "planted-name", "planted-warning"]
        {
            assert!(!text.contains(planted), "{planted} is in plain text");
        }
        assert!(text.contains("order"), "tags stay searchable");
        let sealed = sealed(&bytes);
        assert_eq!(sealed.keys(), [KeyId(1), KeyId(2), KeyId(3)]);
        let all: Vec<DataKey> = keys.iter().map(|(_, key)| key.clone()).collect();
        assert!(sealed.open(&all).unwrap() == *envelope);
    }

    #[test]
    fn without_any_one_of_its_keys_it_stays_closed() {
        let (envelope, keys) = (personal(), keys());
        let bytes = Unsealed::of(&envelope).unwrap().seal(&keys).unwrap();
        for lost in 0..keys.len() {
            let mut left: Vec<DataKey> = keys.iter().map(|(_, key)| key.clone()).collect();
            left[lost] = DataKey::random().unwrap();
            assert!(matches!(sealed(&bytes).open(&left), Err(EnvelopeError::Forged)), "key {lost}");
        }
        let left = sealed(&bytes).erased(START).unwrap();
        assert_eq!((left.id, &left.tags, left.erased_at), (envelope.id, &envelope.tags, Some(START)));
        assert_eq!(left.redrive_of, envelope.redrive_of, "what became of which message stays known");
        assert!(left.to == Recipient::default() && left.content == Content::default());
        assert!(left.metadata.is_empty() && left.warnings.is_empty());
    }

    #[test]
    fn an_altered_or_swapped_part_is_noticed() {
        let (one, other, keys) = (personal(), personal(), keys());
        let all: Vec<DataKey> = keys.iter().map(|(_, key)| key.clone()).collect();
        let (bytes, others) = (seal(&one, &keys), seal(&other, &keys));
        let head = sealed(&bytes).head.len();
        let swapped = [&bytes[..head], &others[sealed(&others).head.len()..]].concat();
        assert!(matches!(sealed(&swapped).open(&all), Err(EnvelopeError::Forged)));
        for end in 0..bytes.len().min(40) {
            assert!(StoredEnvelope::read(&bytes[..end]).is_err(), "{end} bytes");
        }
    }

    #[test]
    fn version_1_and_what_was_taken_out_need_no_key() {
        let envelope = personal();
        let json = serde_json::to_vec(&*envelope).unwrap();
        assert!(StoredEnvelope::is_plain(&json));
        match StoredEnvelope::read(&json).unwrap() {
            StoredEnvelope::Readable(read) => assert!(*read == *envelope),
            StoredEnvelope::Sealed(_) => panic!("it was never sealed"),
        }
        let bytes = without_personal(&envelope, START).unwrap();
        assert!(!StoredEnvelope::is_plain(&bytes));
        assert!(!String::from_utf8_lossy(&bytes).contains("planted"));
        match StoredEnvelope::read(&bytes).unwrap() {
            StoredEnvelope::Readable(read) => {
                assert_eq!((read.id, read.erased_at), (envelope.id, Some(START)));
                assert!(read.to == Recipient::default());
            }
            StoredEnvelope::Sealed(_) => panic!("it has no keys"),
        }
    }
}
