//! One request and its whole response, within a size limit.

use bytes::{Bytes, BytesMut};
use hermes_ports::{
    egress::EgressError,
    http::{HttpResponse, Method},
};
use reqwest::{Body, Client, Request, Response, header::HeaderMap};
use url::Url;

use crate::{
    failure, headers,
    watched_body::{Progress, WatchedBody},
};

/// A request and the mark of its progress.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) request: Request,
    pub(crate) progress: Progress,
}

/// Sends one request and reads its response. Dropping the future closes the connection it uses.
///
/// # Errors
/// As [`hermes_ports::egress::Egress::perform`]; the time limit is the caller's.
pub(crate) async fn run(
    client: &Client,
    outgoing: Outgoing,
    response_max_bytes: usize,
) -> Result<HttpResponse, EgressError> {
    let Outgoing { request, progress } = outgoing;
    let response = client.execute(request).await.map_err(|error| failure::of_request(&error, &progress))?;
    let status = response.status().as_u16();
    let header_bytes = headers::size(response.headers());
    let too_large = EgressError::TooLarge { limit_bytes: response_max_bytes };
    let Some(body_max) = response_max_bytes.checked_sub(header_bytes) else { return Err(too_large) };
    let headers = headers::write_response(response.headers());
    let body = read_body(response, body_max).await?.ok_or(too_large)?;
    Ok(HttpResponse { status, headers, body })
}

/// Puts a request together without a builder's detours.
pub(crate) fn request(method: Method, url: Url, headers: HeaderMap, body: Bytes) -> Outgoing {
    let method = match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut request = Request::new(method, url);
    *request.headers_mut() = headers;
    if body.is_empty() {
        return Outgoing { request, progress: Progress::unknown() };
    }
    let progress = Progress::default();
    *request.body_mut() = Some(Body::wrap(WatchedBody::new(body, progress.clone())));
    Outgoing { request, progress }
}

/// The whole body, or `None` when it is larger than `max` bytes, which ends the reading at once.
async fn read_body(mut response: Response, max: usize) -> Result<Option<Bytes>, EgressError> {
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Ok(None);
    }
    let mut whole = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure::of_body(&error))? {
        if whole.len() + joined.len() + chunk.len() > max {
            return Ok(None);
        }
        // Nearly every body is one chunk, which is taken as it is.
        match (whole.is_empty(), joined.is_empty()) {
            (true, true) => whole = chunk,
            (false, _) => {
                joined.reserve(whole.len() + chunk.len());
                joined.extend_from_slice(&std::mem::take(&mut whole));
                joined.extend_from_slice(&chunk);
            }
            (true, false) => joined.extend_from_slice(&chunk),
        }
    }
    Ok(Some(if joined.is_empty() { whole } else { joined.freeze() }))
}
