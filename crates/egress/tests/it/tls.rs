//! HTTPS: certificates decide before anything is sent.

use std::sync::Arc;

use hermes_egress::{EgressOptions, PrivateAccess};
use hermes_ports::egress::EgressError;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{io::AsyncWriteExt as _, net::TcpListener, sync::mpsc};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring::default_provider,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::support::{Answers, Received, egress, post, read_request, response, send};

/// A TLS server for `api.provider.example`; answers its port, its certificate and what it receives.
async fn start() -> (u16, Vec<u8>, mpsc::UnboundedReceiver<Received>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["api.provider.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (received, log) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let Some(request) = read_request(&mut stream).await else { continue };
            received.send(request).unwrap();
            stream.write_all(response(200, "secure").as_bytes()).await.unwrap();
        }
    });
    (port, cert.der().to_vec(), log)
}

fn options(extra_root_certificates: Vec<Vec<u8>>) -> EgressOptions {
    EgressOptions {
        allow_private: PrivateAccess::Loopback,
        lookup: Answers::of(&["127.0.0.1"]),
        extra_root_certificates,
        ..EgressOptions::default()
    }
}

#[tokio::test]
async fn a_trusted_certificate_for_the_right_name_is_accepted() {
    let (port, certificate, mut log) = start().await;
    let egress = egress(options(vec![certificate]));
    let url = format!("https://api.provider.example:{port}/x");
    assert_eq!(send(&egress, post(&url, "x")).await.unwrap().body.as_ref(), b"secure");
    let received = log.recv().await.unwrap();
    assert_eq!((received.line.as_str(), received.body.as_str()), ("POST /x HTTP/1.1", "x"));
}

#[tokio::test]
async fn a_wrong_certificate_proves_that_nothing_was_sent() {
    let (port, certificate, mut log) = start().await;
    let untrusting = egress(options(Vec::new()));
    let wrong_name = egress(options(vec![certificate]));
    let cases = [(untrusting, "api.provider.example"), (wrong_name, "other.provider.example")];
    for (egress, host) in cases {
        let error = send(&egress, post(&format!("https://{host}:{port}/x"), "x")).await.unwrap_err();
        assert!(matches!(&error, EgressError::Connect(why) if why.contains("certificate")), "{error:?}");
    }
    assert!(log.try_recv().is_err());
}
