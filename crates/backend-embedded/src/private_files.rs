//! Keeps what is stored from other users of the machine, whatever the umask says.
//!
//! SQLite gives `-wal` and `-shm` files the permissions of their database, so a database that is private before it is
//! opened stays private with all of them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tracing::warn;

const DIRECTORY: u32 = 0o700;
const FILE: u32 = 0o600;
/// Whoever made such a directory means it to be shared, as `/tmp` is.
const STICKY: u32 = 0o1000;
/// What SQLite appends to a database's name.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// Makes `directory` where it is missing, with those above it, for its owner alone. One that is there is closed to
/// others, unless it is shared by design or belongs to somebody else.
pub(crate) fn directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY).create(directory)?;
    if fs::metadata(directory)?.permissions().mode() & STICKY == 0 {
        tighten(directory, DIRECTORY);
    }
    Ok(())
}

/// Opens a file for writing, made where it is missing, for its owner alone.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(FILE).open(path)?;
    tighten(path, FILE);
    Ok(file)
}

/// Makes `database` where it is missing, empty, and closes it and what SQLite keeps beside it to others.
pub(crate) fn database(database: &Path) -> io::Result<()> {
    open(database)?;
    for companion in COMPANIONS {
        let mut path = database.as_os_str().to_owned();
        path.push(companion);
        tighten(&PathBuf::from(path), FILE);
    }
    Ok(())
}

/// Takes from others what `allowed` does not have. A file of another owner stays as it is: that is its owner's to decide.
fn tighten(path: &Path, allowed: u32) {
    let Ok(now) = fs::metadata(path).map(|there| there.permissions().mode()) else { return };
    if now & 0o777 == allowed {
        return;
    }
    if let Err(error) = fs::set_permissions(path, Permissions::from_mode(allowed)) {
        warn!(path = %path.display(), error = &error as &dyn std::error::Error, "others can read what is stored here");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_and_what_was_open_is_private() {
        let outer = tempfile::tempdir().unwrap();
        let data = outer.path().join("a").join("data");
        directory(&data).unwrap();
        let db = data.join("hermes.db");
        database(&db).unwrap();
        assert_eq!((mode(&data), mode(&db)), (0o700, 0o600));
        let log = data.join("hermes.db-wal");
        fs::write(&log, "x").unwrap();
        set(&data, 0o755);
        [&db, &log].iter().for_each(|path| set(path, 0o644));
        directory(&data).unwrap();
        database(&db).unwrap();
        assert_eq!((mode(&data), mode(&db), mode(&log)), (0o700, 0o600, 0o600));
        assert!(!data.join("hermes.db-shm").exists(), "only the database itself is made");
    }

    #[test]
    fn a_directory_that_is_shared_by_design_stays_shared() {
        let shared = tempfile::tempdir().unwrap();
        set(shared.path(), 0o1777);
        directory(shared.path()).unwrap();
        assert_eq!(mode(shared.path()), 0o1777);
        set(shared.path(), 0o700);
    }
}
