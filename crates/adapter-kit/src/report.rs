//! What was checked, and what came of it, for people and for CI.

use std::fmt;

/// Lines shown under a failure; the rest is counted.
const DETAILS_MAX: usize = 6;

/// Checks in the order in which they were made.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<Check>,
    remarks: Vec<String>,
}

/// One check: a line of the report.
#[derive(Debug)]
struct Check {
    name: String,
    passed: bool,
    /// Shown below: what is wrong, or what is worth knowing.
    details: Vec<String>,
}

impl Report {
    /// Adds a check that passed; `details` are shown below it, each on a line.
    pub fn passed(&mut self, name: impl Into<String>, details: Vec<String>) {
        self.checks.push(Check { name: name.into(), passed: true, details });
    }

    /// Adds a check that passed if there is no problem.
    pub(crate) fn check(&mut self, name: impl Into<String>, problems: Vec<String>) {
        let passed = problems.is_empty();
        self.checks.push(Check { name: name.into(), passed, details: shortened(problems) });
    }

    /// Adds something that deserves a look and is no failure.
    pub(crate) fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }

    /// How many checks failed.
    pub fn failures(&self) -> usize {
        self.checks.iter().filter(|check| !check.passed).count()
    }
}

/// Each problem is said once, and a flood of them is cut.
fn shortened(mut problems: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    problems.retain(|problem| seen.insert(problem.clone()));
    let more = problems.len().saturating_sub(DETAILS_MAX);
    problems.truncate(DETAILS_MAX);
    problems.extend((more > 0).then(|| format!("and {more} more")));
    problems
}

/// One line a check, details below it, and `N passed, N failed` at the end.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            writeln!(f, "{}  {}", if check.passed { "ok" } else { "FAIL" }, check.name)?;
            for line in check.details.iter().flat_map(|detail| detail.lines()) {
                writeln!(f, "    {line}")?;
            }
        }
        for remark in &self.remarks {
            writeln!(f, "note  {remark}")?;
        }
        let failed = self.failures();
        writeln!(f, "{} passed, {failed} failed", self.checks.len() - failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_line_a_check_and_a_count() {
        let mut report = Report::default();
        report.passed("loads", vec!["channels  sms".to_owned()]);
        report.check("a", Vec::new());
        report.check("b", (0..9).map(|number| format!("wrong {number}\nindeed")).collect());
        report.check("c", vec!["same".to_owned(), "same".to_owned()]);
        report.remark("look here");
        let text = report.to_string();
        assert!(text.starts_with("ok  loads\n    channels  sms\nok  a\nFAIL  b\n    wrong 0\n    indeed\n"));
        assert!(
            text.ends_with("    and 3 more\nFAIL  c\n    same\nnote  look here\n2 passed, 2 failed\n"),
            "{text}"
        );
        assert_eq!(report.failures(), 2);
    }
}
