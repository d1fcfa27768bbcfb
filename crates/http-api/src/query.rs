//! Query strings, as strictly as bodies. They may hold addresses: never log one.

use std::{borrow::Cow, str::FromStr};

use axum::http::Uri;
use hermes_domain::UnixMillis;

use crate::problem::{Code, Fault, Problem};

/// The parameters of a request, taken out one by one; what remains is unknown.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    faults: Vec<Fault>,
}

impl<'a> Query<'a> {
    pub(crate) fn of(uri: &'a Uri) -> Self {
        let parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
        Self { parameters, faults: Vec::new() }
    }

    /// A parameter; an empty one counts as missing.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.given(name).filter(|value| !value.is_empty())
    }

    fn given(&mut self, name: &'static str) -> Option<String> {
        let mut found = None;
        let mut count = 0;
        self.parameters.retain(|(key, value)| {
            if key != name {
                return true;
            }
            count += 1;
            found = Some(value.clone().into_owned());
            false
        });
        if count > 1 {
            self.fault(name, "expected only once");
        }
        found
    }

    /// A parameter that `read` understands; `expected` describes it. An empty one is refused: whoever names a filter
    /// wants one.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.given(name)?;
        self.understood(name, &text, expected, read)
    }

    /// As [`Self::read`], but an empty parameter counts as missing: a client's first page has an empty cursor.
    pub(crate) fn read_unless_empty<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        self.understood(name, &text, expected, read)
    }

    fn understood<T>(
        &mut self,
        name: &'static str,
        text: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(text);
        if value.is_none() {
            self.fault(name, format!("expected {expected}"));
        }
        value
    }

    pub(crate) fn parse<T: FromStr>(&mut self, name: &'static str, expected: &str) -> Option<T> {
        self.read(name, expected, |text| text.parse().ok())
    }

    pub(crate) fn instant(&mut self, name: &'static str) -> Option<UnixMillis> {
        // A `+` of a time zone arrives as a blank where a client forgot to encode it.
        self.read(name, "an RFC 3339 instant", |text| UnixMillis::parse_rfc3339(&text.replace(' ', "+")))
    }

    pub(crate) fn fault(&mut self, name: &'static str, detail: impl Into<String>) {
        self.faults.push(Fault::new(name, "parameter", detail));
    }

    /// Refuses when a parameter was wrong or is unknown.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in &self.parameters {
            let name: String = name.chars().take(64).collect();
            self.faults.push(Fault::new(name, "unknown_parameter", "there is no such parameter"));
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(Problem::new(Code::ParameterInvalid, "See `errors`.").with_faults(self.faults))
    }
}
