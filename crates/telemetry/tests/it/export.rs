//! Spans reach a collector, in the trace that their message came with.

use hermes_telemetry::{InitError, LogFormat, Options, Otlp, TraceContext, continued, init};
use tracing::{info, info_span};

use crate::collector::Collector;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn options(endpoint: &str) -> Options {
    Options {
        filter: "info".to_owned(),
        format: LogFormat::Json,
        otlp: Some(Otlp {
            endpoint: endpoint.to_owned(),
            service_name: "hermes-under-test".to_owned(),
            service_version: "0.0.0".to_owned(),
        }),
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_span_of_a_stored_trace_reaches_the_collector() {
    let collector = Collector::start();
    let guard = init(&options(&format!("{}/", collector.endpoint))).unwrap();
    let parent: TraceContext = TRACEPARENT.parse().unwrap();

    let span = continued(info_span!("cascade_step", message.id = "msg_1"), Some(&parent));
    let own = TraceContext::of_span(&span).unwrap();
    span.in_scope(|| {
        info!("inside");
        assert!(TraceContext::of_span(&info_span!("child")).is_some());
    });
    drop(span);
    assert!(guard.flush());

    let export = collector.next();
    assert_eq!(export.request_line.trim_end(), "POST /v1/traces HTTP/1.1");
    assert_eq!(export.content_type, "application/x-protobuf");
    assert_eq!((own.trace_id(), own.is_sampled()), (parent.trace_id(), true));
    assert_ne!(own.span_id(), parent.span_id());
    for part in ["hermes-under-test", "cascade_step", "child", "msg_1", "inside"] {
        assert!(contains(&export.body, part.as_bytes()), "{part} is missing");
    }
    // Ids travel as bytes: the trace's, the parent's and the span's own.
    for id in
        [&parent.trace_id().to_be_bytes()[..], &parent.span_id().to_be_bytes(), &own.span_id().to_be_bytes()]
    {
        assert!(contains(&export.body, id), "{id:02x?} is missing");
    }

    // Dropping the guard sends what has not been sent.
    info_span!("the_last_one").in_scope(|| ());
    drop(guard);
    assert!(contains(&collector.next().body, b"the_last_one"));
    assert!(matches!(init(&options(&collector.endpoint)), Err(InitError::Again(_))));
}

#[test]
fn a_malformed_filter_is_refused_before_anything_is_set_up() {
    let malformed = Options { filter: "hermes=loud".to_owned(), ..options("http://127.0.0.1:9") };
    assert!(matches!(init(&malformed), Err(InitError::Filter(_))));
}

#[test]
fn an_endpoint_that_is_no_url_is_refused() {
    assert!(matches!(init(&options("not a url")), Err(InitError::Otlp(_))));
}
