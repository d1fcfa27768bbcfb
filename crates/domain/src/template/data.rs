//! What a message gives for the variables of its template.

use std::fmt;

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{Variable, VariableKind};
use crate::UnixMillis;

/// Data that fits: defaults are filled in, what nobody declared is gone. `Debug` shows none of it.
#[derive(Clone, PartialEq, Default)]
pub struct Completed {
    /// By name.
    pub data: Map<String, Value>,
    /// Names that were given but not declared, in their order.
    pub undeclared: Vec<String>,
}

impl fmt::Debug for Completed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completed").finish_non_exhaustive()
    }
}

/// A variable that keeps a message from being made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VariableFault {
    /// The variable's name.
    pub name: String,
    /// What is wrong.
    pub problem: VariableProblem,
}

/// What is wrong with a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VariableProblem {
    /// It is required, and not there.
    Missing,
    /// It holds something else than its type.
    Type(VariableKind),
}

/// Holds `data` against `variables`; null counts as not given.
///
/// # Errors
/// Every variable that is missing or of another type, in the order of declaration.
pub fn complete(
    variables: &[Variable],
    mut data: Map<String, Value>,
) -> Result<Completed, Vec<VariableFault>> {
    let (mut completed, mut faults) = (Map::new(), Vec::new());
    for variable in variables {
        let fault = |problem| VariableFault { name: variable.name.clone(), problem };
        let given = data.remove(&variable.name).filter(|value| !value.is_null());
        match given.or_else(|| variable.default.clone()) {
            Some(value) if variable.kind.holds(&value) => {
                completed.insert(variable.name.clone(), value);
            }
            Some(_) => faults.push(fault(VariableProblem::Type(variable.kind))),
            None if variable.required => faults.push(fault(VariableProblem::Missing)),
            None => {}
        }
    }
    let undeclared = data.into_iter().map(|(name, _)| name).collect();
    if faults.is_empty() { Ok(Completed { data: completed, undeclared }) } else { Err(faults) }
}

impl VariableKind {
    /// Whether `value` is of this kind.
    pub fn holds(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Date => value.as_str().is_some_and(is_date),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

fn is_date(text: &str) -> bool {
    // The length keeps out what the parser would take besides: times, week dates, annotations.
    (text.len() == "2026-01-02".len() && text.parse::<Date>().is_ok())
        || UnixMillis::parse_rfc3339(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variable(name: &str, kind: VariableKind, required: bool, default: Option<Value>) -> Variable {
        Variable { name: name.to_owned(), kind, required, default, example: None }
    }

    fn given(data: Value) -> Result<Completed, Vec<VariableFault>> {
        let variables = [
            variable("name", VariableKind::String, true, None),
            variable("count", VariableKind::Number, false, Some(json!(1))),
            variable("due", VariableKind::Date, false, None),
        ];
        let Value::Object(data) = data else { panic!("an object") };
        complete(&variables, data)
    }

    #[test]
    fn defaults_fill_gaps_and_what_nobody_declared_is_told() {
        let completed = given(json!({ "name": "Åse", "colour": "red", "due": null })).unwrap_or_default();
        assert_eq!(Value::Object(completed.data), json!({ "name": "Åse", "count": 1 }));
        assert_eq!(completed.undeclared, ["colour"]);
    }

    #[test]
    fn every_missing_or_wrong_variable_is_told() {
        let faults = given(json!({ "name": null, "count": "1", "due": "tomorrow" })).err().unwrap();
        let told: Vec<_> = faults.iter().map(|fault| (fault.name.as_str(), fault.problem)).collect();
        let wrong = VariableProblem::Type;
        assert_eq!(
            told,
            [
                ("name", VariableProblem::Missing),
                ("count", wrong(VariableKind::Number)),
                ("due", wrong(VariableKind::Date))
            ]
        );
    }

    #[test]
    fn a_date_is_a_day_or_an_instant() {
        for good in ["2026-11-24", "2026-11-24T10:00:00Z", "2026-11-24T10:00:00+01:00"] {
            assert!(VariableKind::Date.holds(&json!(good)), "{good}");
        }
        for bad in ["2026-02-30", "24.11.2026", "20261124", "2026-W01-1x", "now", ""] {
            assert!(!VariableKind::Date.holds(&json!(bad)), "{bad}");
        }
    }
}
