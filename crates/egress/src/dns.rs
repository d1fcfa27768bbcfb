//! Records of the DNS other than addresses, asked of the name servers that the operating system names.
//!
//! Nothing is connected to by what is found here, so the guard has no part in it.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use hermes_domain::sender::RecordType;
use hermes_ports::dns::{DnsLookup, DnsUnavailable};
use hickory_resolver::{
    ResolveError, ResolverBuilder, TokioResolver,
    config::{NameServerConfigGroup, ResolverConfig},
    name_server::TokioConnectionProvider,
    proto::{
        ProtoErrorKind,
        op::ResponseCode,
        rr::{self, RData},
    },
};
use tokio::{sync::Semaphore, time::timeout};
use tracing::warn;

/// How long one question to one server may take.
const QUESTION_LIMIT: Duration = Duration::from_secs(2);
/// How long a lookup may take with everything that it tries, waiting for its turn included.
const LOOKUP_LIMIT: Duration = Duration::from_secs(8);
/// Lookups at a time; others wait.
const CONCURRENT_MAX: usize = 32;
/// Most values of one name; more are left out.
const VALUES_MAX: usize = 100;

/// Asks name servers.
#[derive(Debug)]
pub struct DnsClient {
    resolver: Option<TokioResolver>,
    running: Arc<Semaphore>,
}

impl DnsClient {
    /// Asks the servers that the operating system is configured with; where that says nothing, every lookup fails.
    pub fn of_system() -> Self {
        match TokioResolver::builder_tokio() {
            Ok(builder) => Self::new(builder),
            Err(failure) => {
                warn!(
                    error = &failure as &dyn Error,
                    "no name servers are known, mail domains cannot be verified"
                );
                Self { resolver: None, running: Arc::new(Semaphore::new(CONCURRENT_MAX)) }
            }
        }
    }

    /// Asks these servers over UDP and TCP, all on one port.
    pub fn of_servers(addresses: &[std::net::IpAddr], port: u16) -> Self {
        let servers = NameServerConfigGroup::from_ips_clear(addresses, port, true);
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        Self::new(TokioResolver::builder_with_config(config, TokioConnectionProvider::default()))
    }

    fn new(mut builder: ResolverBuilder<TokioConnectionProvider>) -> Self {
        let options = builder.options_mut();
        (options.timeout, options.attempts) = (QUESTION_LIMIT, 2);
        // Who has just published a record and asks again must not be told what was there before.
        options.cache_size = 0;
        options.edns0 = true;
        Self { resolver: Some(builder.build()), running: Arc::new(Semaphore::new(CONCURRENT_MAX)) }
    }
}

#[async_trait]
impl DnsLookup for DnsClient {
    async fn values(&self, name: &str, record_type: RecordType) -> Result<Vec<String>, DnsUnavailable> {
        let wanted = match record_type {
            RecordType::Txt => rr::RecordType::TXT,
            RecordType::Cname => rr::RecordType::CNAME,
            RecordType::Mx => rr::RecordType::MX,
        };
        let lookup = async {
            let _permit = self.running.acquire().await.map_err(|_| DnsUnavailable)?;
            // The dot keeps the resolver from trying its search domains.
            let resolver = self.resolver.as_ref().ok_or(DnsUnavailable)?;
            match resolver.lookup(format!("{name}."), wanted).await {
                Ok(found) => Ok(found.iter().filter_map(value).take(VALUES_MAX).collect()),
                Err(failure) if is_an_answer(&failure) => Ok(Vec::new()),
                Err(_) => Err(DnsUnavailable),
            }
        };
        timeout(LOOKUP_LIMIT, lookup).await.map_err(|_| DnsUnavailable)?
    }
}

/// Whether a server has said that there is nothing, or that there is no such name: others may be in trouble.
fn is_an_answer(failure: &ResolveError) -> bool {
    match failure.proto().map(|proto| proto.kind()) {
        Some(ProtoErrorKind::NoRecordsFound { response_code, .. }) => {
            matches!(*response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        }
        _ => false,
    }
}

/// A record as text; none for records of other types, such as those that an alias was followed through.
fn value(record: &RData) -> Option<String> {
    match record {
        RData::TXT(text) => Some(text.iter().map(|part| String::from_utf8_lossy(part)).collect()),
        RData::CNAME(name) => Some(name.to_ascii()),
        RData::MX(exchanger) => {
            Some(format!("{} {}", exchanger.preference(), exchanger.exchange().to_ascii()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_resolver::proto::{
        op::{Message, MessageType, ResponseCode},
        rr::{
            Name, Record,
            rdata::{CNAME, MX, TXT},
        },
    };
    use tokio::net::UdpSocket;

    use super::*;

    /// A name server with a few records, which answers SERVFAIL about `broken.example`.
    async fn server() -> DnsClient {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut buffer = [0; 1_500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let Ok(asked) = Message::from_vec(&buffer[..length]) else { continue };
                let _ = socket.send_to(&reply(&asked).to_vec().unwrap(), from).await;
            }
        });
        DnsClient::of_servers(&[Ipv4Addr::LOCALHOST.into()], port)
    }

    fn reply(asked: &Message) -> Message {
        let query = asked.queries()[0].clone();
        let name = |text: &str| Name::from_ascii(text).unwrap();
        let data = match (query.name().to_ascii().as_str(), query.query_type()) {
            ("acme.example.", rr::RecordType::TXT) => Some(RData::TXT(TXT::new(vec![
                "v=spf1 include:".to_owned(),
                "amazonses.com -all".to_owned(),
            ]))),
            ("key.acme.example.", rr::RecordType::CNAME) => {
                Some(RData::CNAME(CNAME(name("key.dkim.amazonses.com."))))
            }
            ("acme.example.", rr::RecordType::MX) => Some(RData::MX(MX::new(10, name("mx.acme.example.")))),
            _ => None,
        };
        let mut answer = Message::new();
        answer.set_id(asked.id()).set_message_type(MessageType::Response).add_query(query.clone());
        answer.set_response_code(match (&data, query.name().to_ascii().as_str()) {
            (Some(_), _) => ResponseCode::NoError,
            (None, "broken.example.") => ResponseCode::ServFail,
            (None, _) => ResponseCode::NXDomain,
        });
        answer.add_answers(data.map(|data| Record::from_rdata(query.name().clone(), 60, data)));
        answer
    }

    #[tokio::test]
    async fn values_come_as_text_and_no_answer_is_told_from_nothing() {
        let dns = server().await;
        let ask = async |name: &str, record_type| dns.values(name, record_type).await;
        let one = |text: &str| Ok(vec![text.to_owned()]);
        let spf = one("v=spf1 include:amazonses.com -all");
        assert_eq!(ask("acme.example", RecordType::Txt).await, spf, "a long text comes in parts");
        assert_eq!(ask("key.acme.example", RecordType::Cname).await, one("key.dkim.amazonses.com."));
        assert_eq!(ask("acme.example", RecordType::Mx).await, one("10 mx.acme.example."));
        assert_eq!(ask("none.example", RecordType::Txt).await, Ok(vec![]));
        assert_eq!(ask("broken.example", RecordType::Txt).await, Err(DnsUnavailable));
    }
}
