//! `check-tree`: rules about the shape of the repository that no other tool knows.
//!
//! Each rule is a file of its own and returns what it found wrong, in words for whoever has to mend it.

mod crates;
mod docs;
mod edges;
mod sizes;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::root;

/// A text file of the repository.
#[derive(Debug)]
struct Source {
    /// From the root, with `/`.
    path: String,
    text: String,
}

/// Checks every rule and fails after all of them if one is broken.
pub(crate) fn check() -> Result<()> {
    let root = root()?;
    let sources = sources(&root)?;
    let crates = crates::read(&sources)?;
    let rules: [(&str, Vec<String>); 7] = [
        ("crates share lints and versions", crates::conventions(&crates)),
        ("dependencies point inwards", edges::check(&crates)),
        ("files and functions are short", sizes::check(&sources)),
        ("no words or paths of somebody's machine", words::check(&sources, &root)),
        ("links and paths in documents exist", docs::references(&sources, &root)),
        ("every key and metric is documented", docs::completeness(&sources)?),
        ("every metric is recorded", docs::unrecorded(&sources)),
    ];
    let mut broken = 0;
    for (rule, problems) in rules {
        println!("{} {rule}", if problems.is_empty() { "ok  " } else { "FAIL" });
        problems.iter().for_each(|problem| println!("       {problem}"));
        broken += usize::from(!problems.is_empty());
    }
    println!("{}", sizes::figures(&sources));
    ensure!(broken == 0, "{broken} rules are broken");
    Ok(())
}

/// Every text file that is committed or about to be.
fn sources(root: &Path) -> Result<Vec<Source>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(list).current_dir(root).output().context("could not run git")?;
    if !output.status.success() {
        bail!("git could not list the files: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mut paths: Vec<String> =
        String::from_utf8(output.stdout)?.split_terminator('\0').map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    Ok(paths.into_iter().filter_map(|path| source(root, path)).collect())
}

/// `None` for what is not text, and for what was removed but not committed yet.
fn source(root: &Path, path: String) -> Option<Source> {
    let text = fs::read_to_string::<PathBuf>(root.join(&path)).ok()?;
    Some(Source { path, text })
}
