//! Webhooks of a provider: verified and read by the adapter, which may need a certificate for it.

use std::sync::Arc;

use hermes_ports::{
    adapter::{AdapterFault, AdapterStep, ReceiveResult},
    http::{HttpRequest, HttpResponse, RequestEffect, Webhook},
    provider_gateway::ReceiveError,
};

use super::session::Session;

/// More rounds than any host allows.
const ROUNDS_MAX: usize = 16;

/// Verifies and reads `webhook`.
///
/// # Errors
/// See [`ReceiveError`].
pub(crate) async fn receive(session: &Session, webhook: Webhook) -> Result<ReceiveResult, ReceiveError> {
    let webhook = Arc::new(webhook);
    let first = Arc::clone(&webhook);
    let mut step = session.guest(move |host, access| host.receive(access, &first)).await;
    for _ in 0..ROUNDS_MAX {
        let (request, pending) = match step.map_err(ReceiveError::Adapter)? {
            AdapterStep::Request(request, pending) => (request, pending),
            AdapterStep::Done(result) => return Ok(result),
        };
        let response = fetch(session, request).await?;
        let webhook = Arc::clone(&webhook);
        let resume =
            session.guest(move |host, access| host.resume_receive(access, &webhook, pending, &response));
        step = resume.await;
    }
    Err(ReceiveError::Adapter(AdapterFault::Contract("too many rounds".to_owned())))
}

async fn fetch(session: &Session, request: HttpRequest) -> Result<HttpResponse, ReceiveError> {
    if request.effect == RequestEffect::Submits {
        let breach = AdapterFault::Contract("a webhook may not submit anything".to_owned());
        return Err(ReceiveError::Adapter(breach));
    }
    let (kept, id) = (&session.shared.certificates, session.line.id);
    if let Some(response) = kept.get(id, &request) {
        return Ok(response);
    }
    let may_be_kept = crate::certificates::may_be_kept(&request).then(|| request.url.clone());
    let response = session.perform(request).await.map_err(|cause| {
        tracing::warn!(provider.connection = %id, cause = ?cause, "could not fetch what verifies a webhook");
        ReceiveError::Fetch
    })?;
    if let Some(url) = may_be_kept {
        kept.keep(id, url, &response);
    }
    Ok(response)
}
