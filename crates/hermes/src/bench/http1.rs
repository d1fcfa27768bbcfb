//! As much HTTP/1.1 as a load generator needs: one request at a time on a connection that is kept.
//!
//! It shares two cores with what it measures, so it parses nothing that it does not look at.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Header fields of an answer or request at most.
const HEADERS_MAX: usize = 48;
/// Bytes of a head and a body at most.
const BYTES_MAX: usize = 1 << 20;
const BUFFER: usize = 4096;

/// Why an exchange failed. Whether the server acted on the request is unknown, except after `Connect`.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("could not connect")]
    Connect(#[source] io::Error),
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    #[error("the peer closed the connection")]
    Closed,
    #[error("the peer does not speak HTTP/1.1 with content-length: {0}")]
    Protocol(&'static str),
}

/// What a head says about what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Framing {
    /// Bytes of the head.
    pub(super) head: usize,
    /// Bytes of the body.
    pub(super) body: usize,
    /// Whether the connection ends after this.
    pub(super) close: bool,
}

/// A connection on which one request runs at a time.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Whether it can take another request.
    pub(super) reusable: bool,
}

/// An answer, in the connection's buffer until the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
}

impl Connection {
    /// # Errors
    /// [`Error::Connect`].
    pub(super) async fn open(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await.map_err(Error::Connect)?;
        let _ = stream.set_nodelay(true); // Without it requests arrive as well, only later.
        Ok(Self { stream, buffer: Vec::with_capacity(BUFFER), reusable: true })
    }

    /// Sends a whole request and reads the answer.
    ///
    /// # Errors
    /// After any error the connection is of no further use.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, Error> {
        self.reusable = false;
        self.buffer.clear();
        self.stream.write_all(request).await.map_err(Error::Broken)?;
        let (status, framing) = loop {
            if let Some(found) = response(&self.buffer)? {
                break found;
            }
            self.read_more().await?;
        };
        while self.buffer.len() < framing.head + framing.body {
            self.read_more().await?;
        }
        if self.buffer.len() > framing.head + framing.body {
            return Err(Error::Protocol("more than one answer"));
        }
        self.reusable = !framing.close;
        Ok(Answer { status, body: &self.buffer[framing.head..] })
    }

    async fn read_more(&mut self) -> Result<(), Error> {
        if self.buffer.len() > BYTES_MAX {
            return Err(Error::Protocol("the answer is too large"));
        }
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err(Error::Closed),
            Ok(_) => Ok(()),
            Err(cause) => Err(Error::Broken(cause)),
        }
    }
}

/// Status and framing of the answer that `bytes` begin with; `None` while its head is incomplete.
///
/// # Errors
/// [`Error::Protocol`].
pub(super) fn response(bytes: &[u8]) -> Result<Option<(u16, Framing)>, Error> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut headers);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(head)) => {
            let status = parsed.code.unwrap_or_default();
            let (length, close) = framing_fields(parsed.headers)?;
            let bodiless = status == 204 || status == 304;
            let body = if bodiless { Some(0) } else { length };
            let body = body.ok_or(Error::Protocol("an answer without content-length"))?;
            Ok(Some((status, Framing { head, body, close })))
        }
        Err(_) => Err(Error::Protocol("not an HTTP answer")),
    }
}

/// Calls `visit` with each header of the request that `bytes` begin with, and returns its framing; `None`
/// while its head is incomplete.
///
/// # Errors
/// [`Error::Protocol`].
pub(super) fn request<'b>(
    bytes: &'b [u8],
    mut visit: impl FnMut(&'b str, &'b [u8]),
) -> Result<Option<Framing>, Error> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(head)) => {
            let (length, close) = framing_fields(parsed.headers)?;
            parsed.headers.iter().for_each(|header| visit(header.name, header.value));
            Ok(Some(Framing { head, body: length.unwrap_or(0), close }))
        }
        Err(_) => Err(Error::Protocol("not an HTTP request")),
    }
}

fn framing_fields(headers: &[httparse::Header<'_>]) -> Result<(Option<usize>, bool), Error> {
    let (mut length, mut close) = (None, false);
    for header in headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            let number = std::str::from_utf8(header.value).ok().and_then(|text| text.trim().parse().ok());
            length = Some(
                number.filter(|bytes| *bytes <= BYTES_MAX).ok_or(Error::Protocol("a bad content-length"))?,
            );
        } else if header.name.eq_ignore_ascii_case("connection") {
            close = header.value.eq_ignore_ascii_case(b"close");
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Error::Protocol("a transfer encoding"));
        }
    }
    Ok((length, close))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const ANSWER: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\nx-request-id: req_1\r\n\r\nbody";

    #[test]
    fn an_answer_is_framed_once_its_head_is_there() {
        let head = ANSWER.len() - 4;
        for cut in 0..head {
            assert!(matches!(response(&ANSWER[..cut]), Ok(None)), "{cut}");
        }
        let framing = Framing { head, body: 4, close: false };
        assert_eq!(response(ANSWER).unwrap(), Some((202, framing)));
        let closing = b"HTTP/1.1 204 No Content\r\nconnection: Close\r\n\r\n";
        assert_eq!(
            response(closing).unwrap().unwrap().1,
            Framing { head: closing.len(), body: 0, close: true }
        );
    }

    #[test]
    fn what_cannot_be_framed_is_refused() {
        let refused: [&[u8]; 4] = [
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            b"SMTP ready\r\n\r\n",
        ];
        for bytes in refused {
            assert!(matches!(response(bytes), Err(Error::Protocol(_))), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn headers_of_a_request_are_visited() {
        let bytes = b"POST /hook HTTP/1.1\r\nhost: a\r\nwebhook-id: evt_1\r\ncontent-length: 2\r\n\r\n{}";
        let mut seen = Vec::new();
        let framing = request(bytes, |name, value| seen.push((name, value))).unwrap().unwrap();
        assert_eq!((framing.head + framing.body, framing.body), (bytes.len(), 2));
        assert!(seen.contains(&("webhook-id", b"evt_1")));
    }

    #[tokio::test]
    async fn a_connection_is_used_again_and_an_answer_may_come_in_pieces() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 64];
            for pieces in [[&ANSWER[..20], &ANSWER[20..]], [&ANSWER[..ANSWER.len() - 2], b"dy"]] {
                assert!(stream.read(&mut request).await.unwrap() > 0);
                for piece in pieces {
                    stream.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        let mut connection = Connection::open(address).await.unwrap();
        for _ in 0..2 {
            let answer = connection.exchange(b"POST / HTTP/1.1\r\n\r\n").await.unwrap();
            assert_eq!(answer, Answer { status: 202, body: b"body" });
            assert!(connection.reusable);
        }
        server.await.unwrap();
        assert!(connection.exchange(b"POST / HTTP/1.1\r\n\r\n").await.is_err());
        assert!(!connection.reusable);
    }
}
