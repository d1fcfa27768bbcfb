//! A second process: this test binary, started again to run one ignored test.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const DIRECTORY: &str = "HERMES_TEST_CHILD_DIRECTORY";

/// A process that runs `test` (an ignored one of this binary) on `directory`; its output is piped.
pub(crate) fn command(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", test]).env(DIRECTORY, directory);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// In the child: the directory it was started on.
pub(crate) fn directory() -> PathBuf {
    std::env::var_os(DIRECTORY).expect("only started by another test").into()
}
