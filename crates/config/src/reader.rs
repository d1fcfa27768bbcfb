//! Reads keys into typed values, noting every problem and carrying on.
//!
//! A getter whose value is bad records why and returns the default instead, so that the rest of
//! the configuration is checked as well; `finish` then refuses the whole.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::byte_size::ByteSize;
use crate::given::Given;
use crate::layers::Layers;
use crate::problem::{Problem, Problems};
use crate::secret::Secret;

#[derive(Debug)]
pub(crate) struct Reader {
    layers: Layers,
    #[cfg(test)]
    read: std::collections::BTreeSet<String>,
}

impl Reader {
    pub(crate) fn new(layers: Layers) -> Self {
        Self {
            layers,
            #[cfg(test)]
            read: std::collections::BTreeSet::new(),
        }
    }

    /// The problems met, if any.
    pub(crate) fn finish(self) -> Result<(), Problems> {
        Problems::of(self.layers.problems).map_or(Ok(()), Err)
    }

    /// Records a problem that involves more than one key, against the one to change.
    pub(crate) fn problem(&mut self, key: &str, problem: impl Into<String>) {
        let origin = self.layers.get(key).map(crate::layers::Entry::origin);
        self.layers.problems.push(Problem {
            key: key.to_owned(),
            problem: problem.into(),
            origin: origin.unwrap_or(crate::problem::Origin::Default),
        });
    }

    pub(crate) fn boolean(&mut self, key: &str) -> bool {
        self.take(key, |given| given.boolean())
    }

    pub(crate) fn integer<T: TryFrom<u64>>(&mut self, key: &str, range: RangeInclusive<u64>) -> T {
        self.take(key, |given| {
            let number = within(given.integer()?, &range)?;
            T::try_from(number).map_err(|_| "is out of the range of its type".to_owned())
        })
    }

    /// A count that cannot be zero.
    pub(crate) fn count(&mut self, key: &str, max: u64) -> NonZeroUsize {
        NonZeroUsize::new(self.integer(key, 1..=max)).expect("the range starts at one")
    }

    pub(crate) fn seconds(&mut self, key: &str, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.integer(key, range))
    }

    pub(crate) fn millis(&mut self, key: &str, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.integer(key, range))
    }

    pub(crate) fn seconds_list(&mut self, key: &str, range: RangeInclusive<u64>) -> Vec<Duration> {
        self.take(key, |given| {
            let seconds = |item: Given<'_>| Ok(Duration::from_secs(within(item.integer()?, &range)?));
            given.list()?.into_iter().map(seconds).collect()
        })
    }

    pub(crate) fn bytes(&mut self, key: &str, range: RangeInclusive<u64>) -> ByteSize {
        self.take(key, |given| {
            let bytes = match given.integer() {
                Ok(number) => number,
                Err(wrong_type) => {
                    let size = given.text().map_err(|_| wrong_type)?.parse::<ByteSize>();
                    let size = size.map_err(|error| error.to_string())?;
                    i64::try_from(size.bytes()).unwrap_or(i64::MAX)
                }
            };
            within(bytes, &range).map(ByteSize::from_bytes)
        })
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> T {
        self.take(key, |given| {
            let word = given.text()?;
            let chosen = choices.iter().find(|(name, _)| *name == word);
            chosen.map(|(_, value)| *value).ok_or_else(|| {
                let names: Vec<String> = choices.iter().map(|(name, _)| format!("{name:?}")).collect();
                format!("expected one of {}", names.join(", "))
            })
        })
    }

    /// A text that must be set.
    pub(crate) fn text(&mut self, key: &str) -> String {
        self.take(key, |given| match given.text()? {
            "" => Err("must not be empty".to_owned()),
            text => Ok(text.to_owned()),
        })
    }

    /// A text with a form of its own; `what` completes "expected …".
    pub(crate) fn parsed<T: std::str::FromStr>(&mut self, key: &str, what: &str) -> T {
        self.take(key, |given| given.text()?.parse().map_err(|_| format!("expected {what}")))
    }

    /// A secret, or `None` when not set.
    pub(crate) fn secret(&mut self, key: &str) -> Option<Secret> {
        self.optional(key, |text| Ok(Secret::new(text)))
    }

    pub(crate) fn optional_path(&mut self, key: &str) -> Option<PathBuf> {
        self.optional(key, |text| Ok(PathBuf::from(text)))
    }

    /// An http or https address without credentials, or `None` when not set.
    pub(crate) fn optional_http_url(&mut self, key: &str) -> Option<Url> {
        self.optional(key, |text| {
            let url = text.parse::<Url>().map_err(|error| format!("is not a URL: {error}"))?;
            match url.scheme() {
                "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
                    Err("must not contain credentials".to_owned())
                }
                "http" | "https" => Ok(url),
                _ => Err("expected an http:// or https:// URL".to_owned()),
            }
        })
    }

    /// CIDR blocks; `"loopback"` stands for those of IPv4 and IPv6.
    pub(crate) fn networks(&mut self, key: &str) -> Vec<IpNet> {
        self.take(key, |given| {
            let mut networks = Vec::new();
            for item in given.list()? {
                match item.text()? {
                    "loopback" => networks.extend(LOOPBACK.map(network)),
                    cidr => networks.push(cidr.parse().map_err(|_| {
                        "expected CIDR blocks such as \"10.0.0.0/8\", or \"loopback\"".to_owned()
                    })?),
                }
            }
            Ok(networks)
        })
    }

    fn optional<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        self.take(key, |given| match given.text()? {
            "" => Ok(None),
            text => parse(text).map(Some),
        })
    }

    fn take<T>(&mut self, key: &str, parse: impl Fn(Given<'_>) -> Result<T, String>) -> T {
        #[cfg(test)]
        self.read.insert(key.to_owned());
        let entry = self.layers.get(key).expect("a test reads every key from the defaults");
        match parse(entry.current()) {
            Ok(value) => value,
            Err(problem) => {
                let origin = entry.origin();
                let default = parse(entry.default()).expect("a test loads the embedded defaults");
                let key = key.to_owned();
                self.layers.problems.push(Problem { key, problem, origin });
                default
            }
        }
    }
}

const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

fn network(cidr: &str) -> IpNet {
    cidr.parse().expect("the loopback blocks are well-formed")
}

fn within(number: i64, range: &RangeInclusive<u64>) -> Result<u64, String> {
    u64::try_from(number)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{number} is out of range, expected {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn every_documented_key_is_read() {
        let layers = Layers::of_defaults();
        let documented: Vec<String> = layers.keys().map(str::to_owned).collect();
        let mut reader = Reader::new(layers);
        Config::read(&mut reader);
        assert_eq!(reader.read.iter().collect::<Vec<_>>(), documented.iter().collect::<Vec<_>>());
        reader.finish().unwrap();
    }
}
