//! Faults found so far, and where the reader is.

use std::fmt::Write as _;

use crate::problem::{Code, Fault, Problem};

/// Most faults told at once.
const FAULTS_MAX: usize = 100;
/// Longest name of an unknown field told back, in characters.
const NAME_CHARS_MAX: usize = 64;

/// One step of a JSON pointer.
#[derive(Debug)]
enum Segment {
    Key(&'static str),
    Name(String),
    Index(usize),
}

/// A name as a step of a JSON pointer (RFC 6901).
pub(crate) fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Collects faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    path: Vec<Segment>,
    list: Vec<Fault>,
}

impl Faults {
    /// Faults of a value that lies at `/key` of the document.
    pub(crate) fn below(key: &'static str) -> Self {
        Self { path: vec![Segment::Key(key)], list: Vec::new() }
    }

    /// Notes a fault at the reader's place. Always `None`, to be returned.
    pub(crate) fn note<T>(&mut self, code: &'static str, detail: impl Into<String>) -> Option<T> {
        if self.list.len() < FAULTS_MAX {
            let fault = Fault::new(self.pointer(), code, detail);
            self.list.push(fault);
        }
        None
    }

    pub(crate) fn at_key<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.at(Segment::Key(key), read)
    }

    pub(crate) fn at_name<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.at(Segment::Name(name.chars().take(NAME_CHARS_MAX).collect()), read)
    }

    pub(crate) fn at_index<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.at(Segment::Index(index), read)
    }

    fn at<T>(&mut self, segment: Segment, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(segment);
        let result = read(self);
        self.path.pop();
        result
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for segment in &self.path {
            pointer.push('/');
            match segment {
                Segment::Key(key) => pointer.push_str(key),
                Segment::Name(name) => pointer.push_str(&pointer_step(name)),
                Segment::Index(index) => {
                    let _ = write!(pointer, "{index}"); // Writing to a string cannot fail.
                }
            }
        }
        pointer
    }

    /// What was read, unless there were faults.
    pub(crate) fn finish<T>(self, read: Option<T>, code: Code) -> Result<T, Problem> {
        match read {
            Some(read) if self.list.is_empty() => Ok(read),
            Some(_) | None => {
                let detail = match self.list.len() {
                    1 => "There is 1 fault; see `errors`.".to_owned(),
                    count => format!("There are {count} faults; see `errors`."),
                };
                Err(Problem::new(code, detail).with_faults(self.list))
            }
        }
    }
}
