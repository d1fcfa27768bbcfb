//! Cuts a body into records as it arrives, each of bounded size.

use bytes::{Buf as _, Bytes, BytesMut};

/// A record and the line of the body that it begins on, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) line: u64,
    /// `None`: it is longer than a record may be, and was skipped.
    pub(crate) bytes: Option<Bytes>,
}

/// Records end with their line, but for line breaks within the quotes of CSV.
#[derive(Debug)]
pub(crate) struct Records {
    buffer: BytesMut,
    /// How much of the buffer has been looked at.
    seen: usize,
    /// Line breaks within quotes belong to the record.
    quotes: bool,
    is_quoted: bool,
    /// The rest of a record that is too long is thrown away.
    skips: bool,
    line: u64,
    begun_on: u64,
    bytes_max: usize,
}

impl Records {
    /// Of records of at most `bytes_max` bytes each, their line break included.
    pub(crate) fn new(quotes: bool, bytes_max: usize) -> Self {
        let buffer = BytesMut::new();
        Self { buffer, seen: 0, quotes, is_quoted: false, skips: false, line: 1, begun_on: 1, bytes_max }
    }

    pub(crate) fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next whole record; blank ones are passed over. `None`: more of the body is needed.
    pub(crate) fn next(&mut self) -> Option<Record> {
        while let Some(byte) = self.buffer.get(self.seen).copied() {
            if byte == b'"' && self.quotes {
                self.is_quoted = !self.is_quoted;
            }
            if byte == b'\n' {
                self.line += 1;
                if !self.is_quoted
                    && let Some(record) = self.cut(self.seen + 1)
                {
                    return Some(record);
                } else if !self.is_quoted {
                    continue;
                }
            }
            self.seen += 1;
            if self.seen > self.bytes_max {
                // Quotes that nobody closes must not swallow all that follows: the next line begins anew.
                (self.skips, self.is_quoted) = (true, false);
                self.buffer.advance(self.seen);
                self.seen = 0;
            }
        }
        None
    }

    /// What is left when the body has ended.
    pub(crate) fn finish(&mut self) -> Option<Record> {
        self.is_quoted = false;
        self.cut(self.buffer.len())
    }

    fn cut(&mut self, end: usize) -> Option<Record> {
        let bytes = self.buffer.split_to(end).freeze();
        let (line, skipped) = (self.begun_on, self.skips);
        (self.seen, self.skips, self.begun_on) = (0, false, self.line);
        if skipped {
            return Some(Record { line, bytes: None });
        }
        (!bytes.trim_ascii().is_empty()).then_some(Record { line, bytes: Some(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD_BYTES_MAX: usize = 16 * 1024;

    fn records(quotes: bool, chunks: &[&str]) -> Vec<(u64, Option<String>)> {
        let mut records = Records::new(quotes, RECORD_BYTES_MAX);
        let mut found = Vec::new();
        for chunk in chunks {
            records.push(chunk.as_bytes());
            found.extend(std::iter::from_fn(|| records.next()));
        }
        found.extend(records.finish());
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned();
        found.into_iter().map(|record| (record.line, record.bytes.map(text))).collect()
    }

    fn whole(line: u64, text: &str) -> (u64, Option<String>) {
        (line, Some(text.to_owned()))
    }

    #[test]
    fn records_do_not_depend_on_how_the_body_arrives() {
        let body = "a,b\r\n\n\"x\ny\",2\nlast";
        let expected = [whole(1, "a,b"), whole(3, "\"x\ny\",2"), whole(5, "last")];
        assert_eq!(records(true, &[body]), expected);
        let bytes: Vec<String> = body.chars().map(String::from).collect();
        assert_eq!(records(true, &bytes.iter().map(String::as_str).collect::<Vec<_>>()), expected);
        assert_eq!(records(false, &["\"x\ny\""]), [whole(1, "\"x"), whole(2, "y\"")]);
    }

    #[test]
    fn a_record_that_is_too_long_is_skipped_and_the_next_line_is_read() {
        let long = format!("a\n\"{}\nb\n", "x".repeat(RECORD_BYTES_MAX * 3));
        assert_eq!(records(true, &[&long]), [whole(1, "a"), (2, None), whole(3, "b")]);
        let unclosed = format!("\"{}", "x\n".repeat(RECORD_BYTES_MAX));
        let found = records(true, &[&unclosed]);
        assert_eq!((found[0].clone(), found.len() > 100), ((1, None), true));
    }
}
