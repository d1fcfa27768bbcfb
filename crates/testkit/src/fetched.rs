//! What tests need of others, fetched once into `target/services` and shared by all tests.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// A file or folder below `target/services`; `make` makes it when it is not there, in a scratch folder beside it,
/// and says where in that folder it is.
///
/// Several tests may find it missing at once: the first one makes it, the others wait.
///
/// # Errors
/// Whatever `make` says.
pub(crate) fn once(name: &str, make: impl FnOnce(&Path) -> io::Result<PathBuf>) -> io::Result<PathBuf> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/services");
    let path = services.join(name);
    if path.exists() {
        return fs::canonicalize(path);
    }
    fs::create_dir_all(&services)?;
    let lock = File::create(services.join(".lock"))?;
    lock.lock()?;
    if !path.exists() {
        let scratch = tempfile::tempdir_in(&services)?;
        let made = make(scratch.path())?;
        fs::rename(made, &path)?; // In one step: something half-written is never seen.
    }
    fs::canonicalize(path)
}

/// Installs one wheel, without what it depends on, into `directory`.
///
/// # Errors
/// When Python's `pip` is missing or cannot fetch it.
pub(crate) fn pip(directory: &Path, wheel: &str) -> io::Result<()> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(directory).arg(wheel);
    run(&mut pip)
}

/// Runs a command to its end.
///
/// # Errors
/// With what it printed, when it fails.
pub(crate) fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("{} failed: {said}", command.get_program().display())))
}
