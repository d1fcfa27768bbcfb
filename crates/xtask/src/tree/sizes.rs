//! How long files and functions are. Formatted code is measured by its indentation.

use super::Source;

/// Most lines of a file, without the tests at its end.
const FILE_MAX: usize = 500;
/// Most lines of a function outside tests, from its name to its closing brace.
const FUNCTION_MAX: usize = 60;

/// A function and its length in lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Function<'a> {
    name: &'a str,
    line: usize,
    lines: usize,
}

/// What is longer than it may be.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in rust(sources) {
        let lines = production(&source.text);
        if lines.len() > FILE_MAX {
            problems.push(format!("{} has {} lines, {FILE_MAX} are allowed", source.path, lines.len()));
        }
        if is_test(&source.path) {
            continue;
        }
        for function in functions(&lines).filter(|function| function.lines > FUNCTION_MAX) {
            let Function { name, line, lines } = function;
            problems.push(format!(
                "{}:{line}: `{name}` has {lines} lines, {FUNCTION_MAX} are allowed",
                source.path
            ));
        }
    }
    problems
}

/// One line of figures, for people.
pub(super) fn figures(sources: &[Source]) -> String {
    let product: Vec<Vec<&str>> = rust(sources)
        .filter(|source| !is_test(&source.path))
        .map(|source| production(&source.text))
        .collect();
    let files = sorted(product.iter().map(Vec::len));
    let functions = sorted(product.iter().flat_map(|lines| functions(lines).map(|function| function.lines)));
    format!(
        "     {} files: median {}, p90 {}, longest {} lines; {} functions: median {}, p90 {}, longest {}",
        files.len(),
        share(&files, 50),
        share(&files, 90),
        share(&files, 100),
        functions.len(),
        share(&functions, 50),
        share(&functions, 90),
        share(&functions, 100),
    )
}

fn sorted(lengths: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut lengths: Vec<usize> = lengths.collect();
    lengths.sort_unstable();
    lengths
}

fn share(sorted: &[usize], percent: usize) -> usize {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

fn rust(sources: &[Source]) -> impl Iterator<Item = &Source> {
    sources.iter().filter(|source| source.path.ends_with(".rs"))
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.contains("/benches/") || path.ends_with("/tests.rs")
}

/// Lines before the test module at the end.
fn production(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        matches!(pair, ["#[cfg(test)]", module] if module.starts_with("mod ") && module.ends_with('{'))
    });
    let end = tests.unwrap_or(lines.len());
    lines.into_iter().take(end).collect()
}

/// Functions with a body of more than one line; nested ones count for themselves, too.
fn functions<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = Function<'a>> + 'a {
    lines.iter().enumerate().filter_map(|(index, line)| {
        let name = function_name(line)?;
        let indent = &line[..line.len() - line.trim_start().len()];
        let rest = lines.get(index + 1..)?;
        if line.ends_with('}') || line.ends_with(';') {
            return None;
        }
        let aligned =
            |line: &str| line.strip_prefix(indent).filter(|line| !line.starts_with(' ')).map(str::to_owned);
        // Its end is the first line at its own depth that closes a body, or ends a declaration without one.
        let (after, last) = rest.iter().enumerate().find_map(|(after, line)| {
            let line = aligned(line)?;
            (line.starts_with('}') || line.ends_with(';')).then_some((after, line))
        })?;
        last.starts_with('}').then_some(Function { name, line: index + 1, lines: after + 2 })
    })
}

fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let qualifier = |word: &str| {
        matches!(word, "pub" | "const" | "async" | "unsafe" | "extern") || word.starts_with("pub(")
    };
    if !before.split_whitespace().all(qualifier) {
        return None;
    }
    let end = after.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    after.get(..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "\
pub(crate) const fn short() {}
trait Port {
    fn declared(
        &self,
    ) -> u8;

    async fn given(&self) -> u8
    where
        Self: Sized,
    {
        let f = || {
            1
        };
        f()
    }
}
// a fn in a comment {
#[cfg(test)]
mod tests {
    fn test() {
    }
}
";

    #[test]
    fn functions_are_found_with_their_length() {
        let lines = production(CODE);
        assert_eq!(lines.len(), 17);
        let found: Vec<Function<'_>> = functions(&lines).collect();
        assert_eq!(found, [Function { name: "given", line: 7, lines: 9 }]);
    }

    #[test]
    fn what_is_too_long_is_named() {
        let body = "    call();\n".repeat(59);
        let long = format!("fn long() {{\n{body}}}\n");
        let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
        let problems = check(&[source("crates/x/src/a.rs", &long), source("crates/x/tests/it/b.rs", &long)]);
        assert_eq!(problems, ["crates/x/src/a.rs:1: `long` has 61 lines, 60 are allowed"]);
        let problems = check(&[source("crates/x/tests/it/b.rs", &"\n".repeat(501))]);
        assert_eq!(problems, ["crates/x/tests/it/b.rs has 501 lines, 500 are allowed"]);
    }
}
