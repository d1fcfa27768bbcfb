//! Versions as entity tags: `"<version>"`.

use http::{HeaderMap, header};

use crate::problem::{Code, Fault, Problem};

/// `If-Match` as a regular expression: `*`, or a list of tags, which may have none (RFC 9110, sections 5.6.1, 8.8.3 and
/// 13.1.1).
pub(crate) const IF_MATCH_PATTERN: &str = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)?$"#;

/// When a change requires that nobody else came first: the rule of every operation, for the document.
pub(crate) const RULE: &str = "\
Replies about one resource that has a version carry it as `ETag`. `If-Match` with it makes a change conditional: `412 version_conflict` \
where somebody else came first. It takes `*`, and a list of tags of which one must match; a weak tag matches nothing. It is \
required (`428 precondition_required`) where a change is made from what was read before: by every PUT of a resource that has a \
version, and by PATCH below `/v1`. Where else an operation takes it, it may be left out: in DELETE, POST, and PATCH below `/admin/v1`, where operators' \
scripts set single fields. The settings of suppressions are one word and have no version.";

/// The tag of a version.
pub(crate) fn of(version: u64) -> String {
    format!("\"{version}\"")
}

/// What `If-Match` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing, or `*`: whichever version there is.
    Any,
    /// One of these.
    OneOf(Vec<u64>),
}

impl Precondition {
    /// Reads the header, which may be missing.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut lines = Vec::new();
        for value in headers.get_all(header::IF_MATCH) {
            lines.push(value.to_str().map_err(|_| malformed())?);
        }
        let text = lines.join(",");
        match text.trim() {
            "" if lines.is_empty() => Ok(Self::Any),
            "*" => Ok(Self::Any),
            // A list without tags (RFC 9110, section 5.6.1): no version is named.
            "" => Ok(Self::OneOf(Vec::new())),
            tags => versions(tags).map(Self::OneOf).ok_or_else(malformed),
        }
    }

    /// The version that is changed, where the present one is `version`; `None`: whichever there is by then.
    pub(crate) fn at(&self, version: u64) -> Result<Option<u64>, Problem> {
        match self {
            Self::Any => Ok(None),
            Self::OneOf(versions) if versions.contains(&version) => Ok(Some(version)),
            Self::OneOf(_) => {
                Err(Problem::new(Code::VersionConflict, "Somebody else changed it; read it again."))
            }
        }
    }
}

/// The version that a change is about: the present one, `version`, if `If-Match` names it; `None` without the header or
/// for `*`.
pub(crate) fn if_match(headers: &HeaderMap, version: u64) -> Result<Option<u64>, Problem> {
    Precondition::of(headers)?.at(version)
}

/// As [`if_match`], but the header must be there: a change that does not say what it changes could undo
/// somebody else's.
pub(crate) fn required_if_match(headers: &HeaderMap, version: u64) -> Result<Option<u64>, Problem> {
    if headers.contains_key(header::IF_MATCH) {
        return if_match(headers, version);
    }
    Err(Problem::new(
        Code::PreconditionRequired,
        "Name the version that you change: send its ETag as If-Match.",
    ))
}

/// The versions in a list of tags; `None` when it is no such list. Weak tags never match here (RFC 9110, section
/// 13.1.1), and tags of others match no version.
fn versions(mut text: &str) -> Option<Vec<u64>> {
    let mut versions = Vec::new();
    loop {
        let (weak, tag) = text.strip_prefix("W/").map_or((false, text), |tag| (true, tag));
        let (tag, rest) = tag.strip_prefix('"')?.split_once('"')?;
        if !tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let digits = !weak && tag.bytes().all(|byte| byte.is_ascii_digit());
        versions.extend(tag.parse::<u64>().ok().filter(|_| digits));
        let rest = rest.trim_start();
        if rest.is_empty() {
            return Some(versions);
        }
        text = rest.strip_prefix(',')?.trim_start();
    }
}

fn malformed() -> Problem {
    let fault = Fault::new("If-Match", "header", "expected an ETag, several with commas between them, or *");
    Problem::new(Code::HeaderInvalid, "If-Match is no list of ETags.").with_faults(vec![fault])
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn one_of_the_tags_must_be_that_of_the_present_version() {
        assert_eq!(required_if_match(&headers(&of(7)), 7).unwrap(), Some(7));
        assert_eq!(required_if_match(&headers("*"), 7).unwrap(), None);
        assert_eq!(if_match(&HeaderMap::new(), 7).unwrap(), None);
        assert_eq!(required_if_match(&HeaderMap::new(), 7).unwrap_err().code, Code::PreconditionRequired);
        assert_eq!(if_match(&headers(""), 7).unwrap_err().code, Code::VersionConflict);
        for good in ["\"7\", \"99\"", "\"a,b\" ,W/\"7\",\"7\""] {
            assert_eq!(if_match(&headers(good), 7).unwrap(), Some(7), "{good}");
        }
        for other in
            ["\"8\"", "W/\"7\"", "\"x\"", "\"+7\"", "\"\"", "\"123456789012345678901\"", "\"1\", \"2\""]
        {
            assert_eq!(if_match(&headers(other), 7).unwrap_err().code, Code::VersionConflict, "{other}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for bad in ["7", "\"7", "w/\"7\"", "\"7\" \"8\"", "\"7\",", "*, \"7\"", "\"a b\""] {
            assert_eq!(if_match(&headers(bad), 7).unwrap_err().code, Code::HeaderInvalid, "{bad}");
        }
    }

    #[test]
    fn a_header_in_several_lines_is_one_list() {
        let mut both = headers("\"1\"");
        both.append(header::IF_MATCH, HeaderValue::from_static("\"2\""));
        assert_eq!(if_match(&both, 2).unwrap(), Some(2));
    }
}
