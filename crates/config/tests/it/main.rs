//! Loading a configuration as an operator would.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod defaults;
mod overrides;
mod problems;

use std::io::Write;

use hermes_config::{Config, Problems};
use tempfile::NamedTempFile;

/// Loads from a file with this text and these variables.
fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, Problems> {
    let file = file_with(file);
    Config::load(Some(file.path()), variables(env))
}

fn file_with(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn variables(env: &[(&str, &str)]) -> Vec<(String, String)> {
    env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
