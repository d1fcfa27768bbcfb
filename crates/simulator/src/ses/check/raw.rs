//! What SES refuses in a MIME message.

use mail_parser::{Addr, MessageParser};

use super::{check_address, check_identity};
use crate::{SesAccount, ses::fault::Fault};

/// RFC 5322, section 2.1.1, with the line end.
const LINE_BYTES_MAX: usize = 1_000;

pub(super) fn check(message: &[u8], account: &SesAccount) -> Result<(), Fault> {
    if message.split_inclusive(|byte| *byte == b'\n').any(|line| line.len() > LINE_BYTES_MAX) {
        return Err(Fault::rejected("Transaction failed: a line of the message is too long.".to_owned()));
    }
    let parsed = MessageParser::default().parse(message);
    let parsed = parsed.ok_or_else(|| Fault::bad_request("Cannot parse the message."))?;
    let from = parsed.from().and_then(|from| from.first()).and_then(Addr::address);
    check_identity(from.ok_or_else(|| Fault::bad_request("Missing required header 'From'."))?, account)?;
    let to = parsed.to().into_iter().flat_map(|to| to.clone().into_list());
    to.filter_map(|to| to.address.map(|address| check_address(&address))).collect()
}
