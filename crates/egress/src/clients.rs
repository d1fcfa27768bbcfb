//! The HTTP clients: one per kind of caller and scheme, because the guard's rule is a client's.
//!
//! A rule belongs to a client, and so does a pool of connections: a connection made under a generous rule
//! is never found in the pool of a strict one.

use std::sync::Arc;

use hermes_ports::egress::EgressError;
use reqwest::{Client, redirect, retry};
use rustls::{ClientConfig, crypto::ring::default_provider, pki_types::CertificateDer};
use rustls_platform_verifier::Verifier;
use url::{Host, Url};

use crate::{
    guard::{AddressRule, GuardedResolver, Reach},
    lookup::{Lookup, SystemLookup},
    options::EgressOptions,
    private_access::PrivateAccess,
};

/// Lookups at a time for hosts that operators and providers name.
const PROVIDER_LOOKUPS_MAX: usize = 128;
/// Lookups at a time for hosts that tenants name. The runtime has 512 blocking threads.
const WEBHOOK_LOOKUPS_MAX: usize = 64;

/// Why the clients could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No trusted certificate authority was found, or an extra one is unreadable.
    #[error("could not load the trusted certificate authorities")]
    Trust(#[source] rustls::Error),
    /// Any other setting, such as a user agent with a line break.
    #[error("could not set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// The clients of one kind of caller.
#[derive(Debug)]
pub(crate) struct Lane {
    secure: Guarded,
    /// Present where plain HTTP is allowed.
    plain: Option<Guarded>,
}

#[derive(Debug)]
struct Guarded {
    rule: AddressRule,
    client: Client,
}

impl Lane {
    /// For requests of adapters.
    pub(crate) fn providers(options: &EgressOptions, tls: &ClientConfig) -> Result<Self, SetupError> {
        let lookup = lookup(options, PROVIDER_LOOKUPS_MAX);
        Self::new(options, &options.allow_private, tls, &lookup)
    }

    /// For tenants' webhooks.
    pub(crate) fn webhooks(options: &EgressOptions, tls: &ClientConfig) -> Result<Self, SetupError> {
        let lookup = lookup(options, WEBHOOK_LOOKUPS_MAX);
        Self::new(options, &options.webhook_allow_private, tls, &lookup)
    }

    fn new(
        options: &EgressOptions,
        private: &PrivateAccess,
        tls: &ClientConfig,
        lookup: &Arc<dyn Lookup>,
    ) -> Result<Self, SetupError> {
        let guarded = |reach| Guarded::new(AddressRule::new(reach, private.clone()), options, tls, lookup);
        let plain = options.allow_http.then(|| guarded(Reach::OpenedOnly)).transpose()?;
        Ok(Self { secure: guarded(Reach::PublicAndOpened)?, plain })
    }

    /// The client that may request `url`.
    ///
    /// # Errors
    /// `Refused` for a scheme that is not allowed, and for a literal address that the guard closes: those
    /// never reach the resolver.
    pub(crate) fn client_for(&self, url: &Url) -> Result<&Client, EgressError> {
        let guarded = match (url.scheme(), &self.plain) {
            ("https", _) => &self.secure,
            ("http", Some(plain)) => plain,
            ("http", None) => return Err(EgressError::Refused("plain HTTP is not allowed".into())),
            _ => return Err(EgressError::Refused("only https URLs are allowed".into())),
        };
        let literal = match url.host() {
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(EgressError::Refused("the URL has no host".into())),
        };
        match literal {
            Some(address) if !guarded.rule.permits(address) => {
                Err(EgressError::Refused("the address may not be connected to".into()))
            }
            _ => Ok(&guarded.client),
        }
    }
}

impl Guarded {
    fn new(
        rule: AddressRule,
        options: &EgressOptions,
        tls: &ClientConfig,
        lookup: &Arc<dyn Lookup>,
    ) -> Result<Self, SetupError> {
        let resolver = GuardedResolver::new(rule.clone(), Arc::clone(lookup));
        let client = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(resolver)
            // A proxy from the environment would resolve names itself, behind the guard's back.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .http1_only()
            .tcp_nodelay(true)
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(options.pool_idle_timeout)
            .pool_max_idle_per_host(options.pool_idle_per_host)
            .user_agent(options.user_agent.as_str())
            .build()
            .map_err(SetupError::Client)?;
        Ok(Self { rule, client })
    }
}

/// TLS 1.2 and 1.3 over ring; trusts the operating system's authorities and the extra ones.
pub(crate) fn tls_config(options: &EgressOptions) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(default_provider());
    let extra = options.extra_root_certificates.iter().map(|der| CertificateDer::from(der.clone()));
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(SetupError::Trust)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Trust)?;
    // "Dangerous" is rustls' word for any verifier that is not its own; this one is webpki underneath.
    let mut config =
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn lookup(options: &EgressOptions, concurrent_max: usize) -> Arc<dyn Lookup> {
    match &options.lookup {
        Some(given) => Arc::clone(given),
        None => Arc::new(SystemLookup::new(concurrent_max)),
    }
}
