//! One actor a webhook endpoint: signed notifications with retries.
