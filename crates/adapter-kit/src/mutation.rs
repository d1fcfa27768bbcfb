//! Bytes that nobody would send: random ones, and recorded ones with something changed. The same at every run.

/// Longest random text, in bytes.
const RANDOM_BYTES_MAX: usize = 600;
/// Pieces that formats are made of, so that random bytes get beyond a parser's first character.
const PIECES: [&str; 16] =
    ["{", "}", "[", "]", "\"", ":", ",", "null", "-1", "1e999", "&", "=", "%", "\u{0}", "\\u0000", "æ"];

/// `SplitMix64`: small, and the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// Below `end`; 0 where `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    /// One of these; `None` where there is none.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// Random bytes, now and then pieces of a format.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let length = self.below(RANDOM_BYTES_MAX);
        let formatted = self.next().is_multiple_of(2);
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            if formatted {
                bytes.extend_from_slice(self.pick(&PIECES).map_or(b"", |piece| piece.as_bytes()));
            } else {
                bytes.extend_from_slice(&self.next().to_le_bytes());
            }
        }
        bytes
    }

    /// A header's value: visible characters.
    pub(crate) fn word(&mut self) -> String {
        let length = self.below(60);
        (0..length).map(|_| char::from(b'!' + u8::try_from(self.below(94)).unwrap_or_default())).collect()
    }

    /// `bytes` with one to four things changed.
    pub(crate) fn changed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let (at, end) = (self.below(changed.len()), self.below(changed.len() + 1));
            let range = at.min(end)..end;
            match self.below(5) {
                0 => changed.truncate(at),
                1 => drop(changed.drain(range)),
                2 => {
                    let copy = changed[range].to_vec();
                    changed.extend(copy);
                }
                3 => {
                    let piece = self.pick(&PIECES).map_or("", |piece| piece);
                    changed.splice(at..at, piece.bytes());
                }
                _ => {
                    if let Some(byte) = changed.get_mut(at) {
                        *byte ^= 1 << (self.0 % 8);
                    }
                }
            }
        }
        changed
    }
}

/// `text` with the letter or digit at `at` replaced by another one that no alphabet takes for the same: neither
/// case nor the bits that base64 leaves unused. `None` for any other character.
pub(crate) fn replaced(text: &str, at: usize) -> Option<String> {
    let other = match *text.as_bytes().get(at)? {
        letter @ b'a'..=b'z' => b'a' + (letter - b'a' + 13) % 26,
        letter @ b'A'..=b'Z' => b'A' + (letter - b'A' + 13) % 26,
        digit @ b'0'..=b'9' => b'0' + (digit - b'0' + 5) % 10,
        _ => return None,
    };
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = other;
    String::from_utf8(bytes).ok()
}

/// The value of a parameter as it stands in the URL, if it is there.
pub(crate) fn query_value<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    let pairs = query.split('#').next()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_and_changes_change() {
        let run = |seed| {
            let mut random = Random::new(seed);
            (0..50)
                .map(|_| (random.bytes(), random.changed(b"{\"id\":1}"), random.word()))
                .collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let changed = run(7).into_iter().filter(|(_, changed, _)| changed != b"{\"id\":1}").count();
        assert!(changed >= 45, "{changed}");
        assert!(run(7).iter().all(|(_, _, word)| word.bytes().all(|byte| byte.is_ascii_graphic())));
        assert!(Random::new(1).changed(b"").len() < 40);
    }

    #[test]
    fn a_replaced_character_is_another_in_every_alphabet() {
        assert_eq!(replaced("a1=", 0).as_deref(), Some("n1="));
        assert_eq!(replaced("a1=", 1).as_deref(), Some("a6="));
        assert_eq!((replaced("a1=", 2), replaced("a", 1)), (None, None));
    }

    #[test]
    fn a_parameter_is_read_as_it_stands() {
        let url = "https://h.example/r?hub.mode=a&t=x%20y#t=z";
        assert_eq!((query_value(url, "t"), query_value(url, "z")), (Some("x%20y"), None));
    }
}
