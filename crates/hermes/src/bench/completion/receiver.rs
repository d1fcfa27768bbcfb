//! A webhook endpoint of our own, registered with the tenant for one run.

use std::{cell::RefCell, collections::HashSet, io, rc::Rc, time::Instant};

use anyhow::Context as _;
use hermes_domain::{EventId, MessageId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::signature::Secret;
use crate::{
    bench::{generator::Run, http1},
    commands::client::Client,
};

/// One signature in this many is checked; the first of a run always is.
const CHECK_EVERY: u64 = 64;
/// Largest notification that is read, in bytes.
const BYTES_MAX: usize = 64 * 1024;
const TAKEN: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const REFUSED: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

/// What the endpoint was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(in crate::bench) struct Notified {
    /// Notifications, repetitions included.
    pub(in crate::bench) received: u64,
    /// Messages whose end was told.
    pub(in crate::bench) ends: u64,
    /// Notifications that had come before.
    pub(in crate::bench) repeated: u64,
    /// Signatures that were checked.
    pub(in crate::bench) checked: u64,
    /// Signatures that were wrong, and notifications that were not understood.
    pub(in crate::bench) bad: u64,
}

/// The registered endpoint; it listens until it is removed.
#[derive(Debug)]
pub(in crate::bench) struct Endpoint {
    id: String,
    books: Rc<Books>,
    listener: JoinHandle<()>,
}

struct Books {
    run: Rc<Run>,
    secret: Secret,
    /// Whether a notification is what ends a message here.
    completes: bool,
    told: RefCell<(Notified, HashSet<EventId>)>,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Books").field("completes", &self.completes).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    message_id: &'a str,
    status: &'a str,
}

/// Header fields of a notification.
#[derive(Default, Clone, Copy)]
struct Signed<'a> {
    id: &'a str,
    timestamp: &'a str,
    signature: &'a str,
}

impl Endpoint {
    /// Listens on this machine and registers with the tenant. With `completes`, notifications are what ends
    /// messages in the books of `run`; otherwise they are only counted.
    ///
    /// # Errors
    /// When no port can be had or the server refuses the endpoint.
    pub(in crate::bench) async fn register(
        client: &Client,
        run: Rc<Run>,
        completes: bool,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("could not listen for webhooks")?;
        let url = format!("http://{}/bench", listener.local_addr()?);
        let body = json!({ "url": url, "description": "hermes bench" });
        let made =
            client.post("/v1/webhooks", &body).await.context("could not register a webhook endpoint")?;
        let text = |key: &str| made[key].as_str().with_context(|| format!("the new endpoint has no {key}"));
        let secret = Secret::parse(text("secret")?).context("the endpoint's secret is not one")?;
        let books = Rc::new(Books { run, secret, completes, told: RefCell::default() });
        let listener = tokio::task::spawn_local(accept(listener, Rc::clone(&books)));
        Ok(Self { id: text("id")?.to_owned(), books, listener })
    }

    pub(in crate::bench) fn notified(&self) -> Notified {
        self.books.told.borrow().0
    }

    /// Stops listening and takes the endpoint off the tenant.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(in crate::bench) async fn remove(self, client: &Client) -> anyhow::Result<()> {
        let removed = client.delete(&format!("/v1/webhooks/{}", self.id)).await;
        self.listener.abort();
        removed.map(drop).context("could not remove the webhook endpoint")
    }
}

async fn accept(listener: TcpListener, books: Rc<Books>) {
    loop {
        // A connection that could not be accepted is tried again by its caller.
        if let Ok((stream, _)) = listener.accept().await {
            let books = Rc::clone(&books);
            tokio::task::spawn_local(async move {
                let _ = serve(stream, &books).await; // It ends when its caller closes it.
            });
        }
    }
}

async fn serve(mut stream: TcpStream, books: &Books) -> io::Result<()> {
    let _ = stream.set_nodelay(true); // Without it answers arrive as well, only later.
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let mut signed = Signed::default();
        let framing = match http1::request(&buffer, |name, value| signed.take(name, value)) {
            Ok(Some(framing)) if buffer.len() >= framing.head + framing.body => framing,
            Ok(_) if buffer.len() <= BYTES_MAX => {
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
                continue;
            }
            Ok(_) | Err(_) => return stream.write_all(REFUSED).await,
        };
        let end = framing.head + framing.body;
        let answer = if books.take(signed, &buffer[framing.head..end]) { TAKEN } else { REFUSED };
        stream.write_all(answer).await?;
        if framing.close {
            return Ok(());
        }
        buffer.drain(..end);
    }
}

impl<'b> Signed<'b> {
    fn take(&mut self, name: &str, value: &'b [u8]) {
        let Ok(value) = std::str::from_utf8(value) else { return };
        let fields = [
            ("webhook-id", &mut self.id),
            ("webhook-timestamp", &mut self.timestamp),
            ("webhook-signature", &mut self.signature),
        ];
        for (_, field) in fields.into_iter().filter(|(known, _)| name.eq_ignore_ascii_case(known)) {
            *field = value;
        }
    }
}

impl Books {
    /// Takes a notification; `false` when it is not one, or its signature is wrong.
    fn take(&self, signed: Signed<'_>, body: &[u8]) -> bool {
        let now = Instant::now();
        let (event, notification) =
            (signed.id.parse::<EventId>(), serde_json::from_slice::<Notification<'_>>(body));
        let mut told = self.told.borrow_mut();
        let (counts, seen) = &mut *told;
        counts.received += 1;
        let check = counts.received % CHECK_EVERY == 1;
        counts.checked += u64::from(check);
        let genuine = !check || self.secret.verifies(signed.id, signed.timestamp, body, signed.signature);
        let (Ok(event), Ok(notification), true) = (event, notification, genuine) else {
            counts.bad += 1;
            return false;
        };
        if !seen.insert(event) {
            counts.repeated += 1;
            return true;
        }
        if let Some(id) = ended(&notification) {
            counts.ends += 1;
            drop(told);
            if self.completes {
                self.run.ended(id, now, notification.data.status);
            }
        }
        true
    }
}

/// The message that a notification says has ended.
fn ended(notification: &Notification<'_>) -> Option<MessageId> {
    let ends = ["delivered", "sent_unconfirmed", "failed", "expired", "cancelled"];
    let kind = notification.kind.strip_prefix("message.")?;
    ends.contains(&kind).then(|| notification.data.message_id.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::options::{Load, Until};
    use hermes_domain::UnixMillis;

    fn books(secret: &str) -> Books {
        let run = Run::new(Load::Closed { messages: 1, until: Until::Terminal }, None);
        Books {
            run: Rc::new(run),
            secret: Secret::parse(secret).unwrap(),
            completes: true,
            told: RefCell::default(),
        }
    }

    fn notification(kind: &str, id: MessageId) -> String {
        json!({ "type": kind, "data": { "message_id": id, "sequence": 3, "status": "delivered" } })
            .to_string()
    }

    fn signed(id: &str) -> Signed<'_> {
        Signed { id, timestamp: "1", signature: "v1,AAAA" }
    }

    #[test]
    fn ends_are_booked_once_and_repetitions_are_counted() {
        let books = books("whsec_AAAA");
        books.told.borrow_mut().0.received = 1; // So that no signature is due for a check.
        let id = MessageId::mint(UnixMillis(1_767_323_045_000), 0, 1, 0);
        books.run.ledger.borrow_mut().accepted(id, Instant::now(), Instant::now());
        let (first, second) = (id.event_id(1).to_string(), id.event_id(2).to_string());
        assert!(books.take(signed(&first), notification("step.started", id).as_bytes()));
        assert!(books.take(signed(&second), notification("message.delivered", id).as_bytes()));
        assert!(books.take(signed(&second), notification("message.delivered", id).as_bytes()));
        let counts = books.told.borrow().0;
        assert_eq!(counts, Notified { received: 4, ends: 1, repeated: 1, checked: 0, bad: 0 });
        assert_eq!(books.run.ledger.borrow().total.completed, 1);
    }

    #[test]
    fn a_wrong_signature_is_refused_and_ends_nothing() {
        let books = books("whsec_AAAA");
        let id = MessageId::mint(UnixMillis(1_767_323_045_000), 0, 1, 0);
        let event = id.event_id(1).to_string();
        assert!(!books.take(signed(&event), notification("message.delivered", id).as_bytes()));
        assert_eq!(
            books.told.borrow().0,
            Notified { received: 1, checked: 1, bad: 1, ..Notified::default() }
        );
    }
}
