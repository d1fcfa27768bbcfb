//! Compiled components on disk, so that a start takes milliseconds.
//!
//! A file is used only if it is ours (owner, mode 0600), was made by an engine of the same version and
//! settings from the same component, and is unharmed (SHA-256). Everything else is compiled again.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::{Path, PathBuf},
};

use wasmtime::{Engine, component::Component};

use crate::crypto::sha256;

/// Length of the checksum in front of the code.
const CHECKSUM_BYTES: usize = 32;

/// Loads the component of this hash from the cache, or compiles it and fills the cache.
pub(crate) fn load(engine: &Engine, folder: Option<&Path>, bytes: &[u8]) -> wasmtime::Result<Component> {
    let Some(folder) = folder else { return Component::from_binary(engine, bytes) };
    let path = path(engine, folder, bytes);
    if let Some(component) = read(engine, &path) {
        return Ok(component);
    }
    let component = Component::from_binary(engine, bytes)?;
    if let Err(error) =
        component.serialize().map_err(std::io::Error::other).and_then(|code| write(folder, &path, &code))
    {
        tracing::warn!(error = %error, "could not keep compiled adapter code");
    }
    Ok(component)
}

/// Named after the component and everything that the engine's code depends on.
fn path(engine: &Engine, folder: &Path, bytes: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let component: String = sha256(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    folder.join(format!("{component}-{:016x}.cwasm", hasher.finish()))
}

fn read(engine: &Engine, path: &Path) -> Option<Component> {
    let file = fs::File::open(path).ok()?;
    if !is_private(&file) {
        tracing::warn!("compiled adapter code is open to others and is not used");
        return None;
    }
    let content = fs::read(path).ok()?;
    let (checksum, code) = content.split_at_checked(CHECKSUM_BYTES)?;
    if sha256(code) != checksum {
        tracing::warn!("compiled adapter code is damaged and is not used");
        return None;
    }
    deserialized(engine, code)
}

/// The audited place: native code from a file.
#[expect(unsafe_code, reason = "the engine cannot check native code; see SAFETY")]
fn deserialized(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: `code` must be unmodified output of `Component::serialize`. The file belongs to this user
    // and is closed to others, was written by `write` below under a name derived from the component, and
    // its checksum shows that it is whole. wasmtime itself refuses other versions and settings. Whoever
    // can forge such a file already runs code as this user.
    unsafe { Component::deserialize(engine, code) }.ok()
}

#[cfg(unix)]
fn is_private(file: &fs::File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let ours = rustix::process::geteuid().as_raw();
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.uid() == ours && meta.mode() & 0o077 == 0)
}

/// Elsewhere nobody can vouch for a file.
#[cfg(not(unix))]
fn is_private(_file: &fs::File) -> bool {
    false
}

/// Written beside its place and renamed, so that no reader sees half a file.
fn write(folder: &Path, path: &Path, code: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(&sha256(code))?;
    file.write_all(code)?;
    file.sync_all()?;
    fs::rename(draft, path)
}
