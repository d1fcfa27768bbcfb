//! Ids of messages and users, of the form that WhatsApp gives them.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::digest::{SHA256, digest};

/// Sent by us, and received from a person.
const OUTGOING: u8 = 0x11;
const INCOMING: u8 = 0x12;

pub(super) fn is_one(text: &str) -> bool {
    text.strip_prefix("wamid.").is_some_and(|rest| STANDARD.decode(rest).is_ok_and(|bytes| !bytes.is_empty()))
}

/// A new id for a message to `user`.
pub(super) fn random(user: &str) -> String {
    wamid(user, OUTGOING, &format!("{:018X}", rand::random::<u128>() >> 56))
}

/// The id of the answer to a message, the same whenever it is told.
pub(super) fn of_answer(user: &str, answered: &str) -> String {
    let digest = hex::encode_upper(digest(&SHA256, answered.as_bytes()));
    wamid(user, INCOMING, digest.get(..20).unwrap_or_default())
}

/// The person and the unique part, each with its length before it.
fn wamid(user: &str, direction: u8, unique: &str) -> String {
    let mut bytes = vec![0x1c, 0x18];
    bytes.push(u8::try_from(user.len()).unwrap_or(u8::MAX));
    bytes.extend(user.as_bytes());
    bytes.extend([0x15, 0x02, 0x00, direction, 0x18]);
    bytes.push(u8::try_from(unique.len()).unwrap_or(u8::MAX));
    bytes.extend(unique.as_bytes());
    bytes.push(0);
    format!("wamid.{}", STANDARD.encode(bytes))
}

/// Twenty digits that are always the same for the same text.
pub(super) fn digits(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let number = digest.as_ref().first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    format!("{:020}", 10_u128.pow(19) + number % (9 * 10_u128.pow(19)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_whatsapps() {
        let id = random("16505551234");
        assert!(id.starts_with("wamid.HBgLMTY1MDU1NTEyMzQVAgARGB"), "{id}");
        assert!(is_one(&id) && !is_one("wamid.") && !is_one("x"));
        assert_ne!(id, random("16505551234"));
        assert_eq!(of_answer("1", &id), of_answer("1", &id));
        assert_eq!((digits("a").len(), digits("a") == digits("b")), (20, false));
    }
}
