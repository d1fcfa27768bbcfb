//! One data directory, one process.

use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions, LockError, OpenError};

use crate::{child, open};

#[tokio::test]
#[ignore = "started by the test below"]
async fn child_that_wants_the_same_directory() {
    let refused = EmbeddedBackend::open(EmbeddedOptions::new(child::directory())).await;
    println!(
        "{}",
        if matches!(refused, Err(OpenError::Lock(LockError::Held { .. }))) { "held" } else { "not held" }
    );
}

#[tokio::test]
async fn another_process_is_kept_out_until_the_directory_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let output = || {
        let output = child::command("lock::child_that_wants_the_same_directory", directory.path()).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let backend = open(directory.path()).await;
    assert!(output().contains("\nheld\n"));
    let here = EmbeddedBackend::open(EmbeddedOptions::new(directory.path())).await;
    let Err(OpenError::Lock(held)) = here else { panic!("{here:?}") };
    assert!(held.to_string().starts_with("another process is using "), "{held}");
    backend.close().await;
    assert!(output().contains("\nnot held\n"));
}
