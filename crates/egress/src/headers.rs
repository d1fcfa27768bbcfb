//! Headers in and out.

use hermes_ports::egress::EgressError;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Most headers of a request.
const REQUEST_HEADERS_MAX: usize = 64;
/// Most bytes of a request's header names and values.
const REQUEST_HEADER_BYTES_MAX: usize = 32 * 1024;

/// Reads a request's headers.
///
/// # Errors
/// `Refused` for a header that the client sets itself (framing, host, authentication), for a malformed
/// one (line breaks included) and for too many of them. Values are never repeated.
pub(crate) fn read_request(pairs: Vec<(String, String)>) -> Result<HeaderMap, EgressError> {
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if pairs.len() > REQUEST_HEADERS_MAX || bytes > REQUEST_HEADER_BYTES_MAX {
        return Err(EgressError::Refused("the request has too many headers".into()));
    }
    // Room for authentication, user agent, accept and host.
    let mut headers = HeaderMap::with_capacity(pairs.len() + 6);
    for (name, value) in pairs {
        let name = read_name(&name)?;
        if name == header::AUTHORIZATION {
            return Err(EgressError::Refused("the request sets authorization itself".into()));
        }
        // `TryFrom<String>` takes the text over instead of copying it.
        let value = HeaderValue::try_from(value)
            .map_err(|_| EgressError::Refused(format!("the value of {name} is malformed")))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// Reads the name of a header that carries a credential; here `Authorization` is welcome.
///
/// # Errors
/// `Refused`, as for other headers.
pub(crate) fn read_name(name: &str) -> Result<HeaderName, EgressError> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| EgressError::Refused("a header name is malformed".into()))?;
    if is_reserved(&name) {
        return Err(EgressError::Refused(format!("the request sets {name} itself")));
    }
    Ok(name)
}

/// Headers that frame a message or steer a hop. An adapter that sets one could smuggle a second request.
fn is_reserved(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "host"
            | "content-length"
            | "transfer-encoding"
            | "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authorization"
            | "upgrade"
            | "te"
            | "trailer"
            | "expect"
    )
}

/// A response's headers as plain pairs, names in lower case; bytes that are not UTF-8 are replaced.
pub(crate) fn write_response(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    headers.iter().map(pair).collect()
}

/// Bytes of names and values.
pub(crate) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<HeaderMap, EgressError> {
        read_request(vec![(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn reserved_and_malformed_headers_are_refused_without_their_value() {
        let reserved = [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Upgrade",
            "Expect",
            "Proxy-Authorization",
            "Authorization",
            "x y",
            "",
            "x\r\ny",
        ];
        for name in reserved {
            let refusal = read(name, "s3cret").expect_err(name).to_string();
            assert!(!refusal.contains("s3cret"), "{refusal}");
        }
        for value in ["a\r\nx: y", "a\nb", "a\0b"] {
            let refusal = read("x-a", value).expect_err("malformed").to_string();
            assert_eq!(refusal, "refused: the value of x-a is malformed");
        }
    }

    #[test]
    fn repeated_headers_stay_and_names_lose_their_case() {
        let pairs = [("X-Tag", "a"), ("x-tag", "b"), ("Content-Type", "text/plain; charset=ü")];
        let headers = read_request(pairs.map(|(name, value)| (name.into(), value.into())).to_vec()).unwrap();
        let expected = [("x-tag", "a"), ("x-tag", "b"), ("content-type", "text/plain; charset=ü")];
        assert_eq!(write_response(&headers), expected.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(size(&headers), 2 * 6 + 12 + 22);
    }

    #[test]
    fn the_number_and_size_of_headers_are_bounded() {
        let many = vec![("x-a".to_owned(), String::new()); REQUEST_HEADERS_MAX + 1];
        assert!(read_request(many).is_err());
        assert!(read("x-a", &"v".repeat(REQUEST_HEADER_BYTES_MAX)).is_err());
    }
}
