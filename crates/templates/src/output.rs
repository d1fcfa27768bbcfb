//! Text of a bounded size.

use std::io;

/// Collects at most so many bytes, and refuses what is beyond.
pub(crate) struct Bounded<'a> {
    pub(crate) text: &'a mut Vec<u8>,
    pub(crate) bytes_max: usize,
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.bytes_max.saturating_sub(self.text.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
