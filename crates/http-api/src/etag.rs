//! Versions as entity tags: `"<version>"`.

use http::{HeaderMap, header};

use crate::problem::{Code, Fault, Problem};

/// A tag as a regular expression. Nineteen digits always fit a version.
pub(crate) const PATTERN: &str = r#"^"[0-9]{1,19}"$"#;
/// Most digits of a version.
const DIGITS_MAX: usize = 19;

/// The tag of a version.
pub(crate) fn of(version: u64) -> String {
    format!("\"{version}\"")
}

/// The version that `If-Match` names; `None` without the header or for `*`.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let digits = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let digits =
        digits.filter(|text| text.len() <= DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit()));
    let version = digits.and_then(|text| text.parse().ok());
    version.map(Some).ok_or_else(|| {
        let fault = Fault::new("If-Match", "header", "expected an ETag of this resource, or *");
        Problem::new(Code::HeaderInvalid, "If-Match is not an ETag of ours.").with_faults(vec![fault])
    })
}

/// As [`if_match`], but the header must be there: a change that does not say what it changes could undo
/// somebody else's.
pub(crate) fn required_if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    if headers.contains_key(header::IF_MATCH) {
        return if_match(headers);
    }
    Err(Problem::new(
        Code::PreconditionRequired,
        "Name the version that you change: send its ETag as If-Match.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn tags_round_trip_and_others_are_refused() {
        let headers =
            |value: &str| HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_str(value).unwrap())]);
        assert_eq!(required_if_match(&headers(&of(7))).unwrap(), Some(7));
        assert_eq!(required_if_match(&headers("*")).unwrap(), None);
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(required_if_match(&HeaderMap::new()).unwrap_err().code, Code::PreconditionRequired);
        for bad in ["", "7", "W/\"7\"", "\"x\"", "\"+7\"", "\"\"", "\"12345678901234567890\"", "\"1\", \"2\""]
        {
            assert_eq!(if_match(&headers(bad)).unwrap_err().code, Code::HeaderInvalid, "{bad}");
        }
    }
}
