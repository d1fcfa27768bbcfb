//! What must not be in any file: paths of one machine, and marks of unfinished work.

use std::{env, path::Path};

use super::Source;

/// Marks of work that belongs into an issue or into this commit.
const UNFINISHED: [&str; 3] = ["TODO", "FIXME", "HACK"];
/// Folders that exist on somebody's machine only.
const HOMES: [&str; 3] = ["/home/", "/Users/", "/root/"];
/// The only file that may look beside the checkout.
const SCRIPT: &str = ".ci/run";

/// Files of others, copied as they are, and this one.
fn is_exempt(path: &str) -> bool {
    path.starts_with("schema/providers/") || path == "Cargo.lock" || path == file!() || path == "LICENSE"
}

/// Where each word or path was found.
pub(super) fn check(sources: &[Source], root: &Path) -> Vec<String> {
    let home = env::var("HOME").ok().map(|home| format!("{home}/"));
    let machine: Vec<String> = [Some(root.display().to_string()), home]
        .into_iter()
        .flatten()
        .filter(|path| path.len() > 4)
        .collect();
    let mut problems = Vec::new();
    for source in sources.iter().filter(|source| !is_exempt(&source.path)) {
        for (index, line) in source.text.lines().enumerate() {
            let found = in_line(line, &machine).or_else(|| outside(&source.path, line));
            if let Some(found) = found {
                problems.push(format!("{}:{}: {found}", source.path, index + 1));
            }
        }
    }
    problems
}

fn in_line(line: &str, machine: &[String]) -> Option<String> {
    if let Some(mark) = UNFINISHED.iter().find(|mark| has_word(line, mark)) {
        return Some(format!("finish it or file an issue ({mark})"));
    }
    let home = HOMES.iter().find(|home| line.contains(*home)).map(|home| (*home).to_owned());
    let path = home.or_else(|| machine.iter().find(|path| line.contains(path.as_str())).cloned())?;
    Some(format!("{path} is a path of one machine"))
}

/// A checkout is complete: nothing beside it may be needed.
fn outside(path: &str, line: &str) -> Option<String> {
    (path != SCRIPT && line.contains("../shared/"))
        .then(|| "refers to something beside the checkout".to_owned())
}

fn has_word(line: &str, word: &str) -> bool {
    let letter =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !letter(before.chars().next_back()) && !letter(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_machine_paths_are_found_by_line() {
        let text = "fine\n// TODO: later\nlet TODOS = 1;\ncd /home/ada/hermes\n";
        let source = Source { path: "crates/x/src/a.rs".to_owned(), text: text.to_owned() };
        let problems = check(&[source], Path::new("/srv/checkout"));
        assert_eq!(
            problems,
            [
                "crates/x/src/a.rs:2: finish it or file an issue (TODO)",
                "crates/x/src/a.rs:4: /home/ is a path of one machine",
            ]
        );
    }

    #[test]
    fn the_checkout_itself_is_a_path_of_one_machine() {
        let source = Source { path: "README.md".to_owned(), text: "run /srv/checkout/x".to_owned() };
        assert_eq!(
            check(&[source], Path::new("/srv/checkout")),
            ["README.md:1: /srv/checkout is a path of one machine"]
        );
    }
}
