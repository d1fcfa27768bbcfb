//! What stands before the APIs, and answers in HTML: for the SMS API, which itself answers 200 to everything,
//! any other status comes from here.

use axum::response::Response;
use http::StatusCode;

use crate::answer;

/// An answer that never reached an API: nothing was processed.
pub(super) fn answer(status: StatusCode) -> Response {
    page(status, "<p>The request was not processed.</p>\n")
}

/// An answer in place of one that was lost; it does not say what became of the request.
pub(super) fn lost_answer() -> Response {
    page(StatusCode::INTERNAL_SERVER_ERROR, "")
}

fn page(status: StatusCode, text: &str) -> Response {
    let body = format!(
        "<html>\n<head><title>{status}</title></head>\n<body>\n<center><h1>{status}</h1></center>\n\
         {text}</body>\n</html>\n"
    );
    answer::bytes(status, "text/html", body)
}
