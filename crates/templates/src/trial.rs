//! A trial run of a new version: what compiles may still call what there is not.

use hermes_domain::template::{Variable, VariableKind};
use minijinja::{Value, value::Serde};
use serde_json::{Map, json};

use crate::{
    compiled::{Budget, Compiled},
    fault::{Fault, FaultKind},
    parts,
};

impl Compiled {
    /// Renders every text twice, with all variables and with those that are always there. Takes examples
    /// and defaults where the author gave some, else a value of the variable's type.
    ///
    /// Finds calls of what there is not, optional variables that are used as if they were always there,
    /// and work without end; not what only other data would lead to.
    ///
    /// # Errors
    /// The first fault of each text.
    pub fn try_out(&self) -> Result<(), Vec<Fault>> {
        let variables = &self.body.variables;
        let sample = |with: &dyn Fn(&Variable) -> bool| {
            let chosen = variables.iter().filter(|variable| with(variable));
            let data: Map<_, _> = chosen.map(|variable| (variable.name.clone(), example(variable))).collect();
            Value::from(Serde(&data))
        };
        let always = |variable: &Variable| variable.required || variable.default.is_some();
        let samples = [sample(&|_| true), sample(&always)];
        // The second run says something new only where a variable may be missing.
        let runs = if variables.iter().all(always) { 1 } else { 2 };
        let mut faults: Vec<Fault> = Vec::new();
        let mut fuel = self.limits.fuel_per_trial;
        for (locale, source) in &self.body.locales {
            for data in &samples[..runs] {
                let granted = self.limits.fuel_per_message.min(fuel);
                let mut budget = Budget { fuel: granted, bytes: self.limits.output_bytes };
                let tried = parts::map(source, parts::root(locale), &mut |part| match self.part(
                    &part,
                    data,
                    &mut budget,
                ) {
                    Ok(_) => Ok(String::new()),
                    Err(fault) if ends_the_trial(&fault) => Err(fault),
                    Err(fault) => {
                        if excused(&fault, variables)
                            || faults.iter().any(|known| known.pointer == fault.pointer)
                        {
                            return Ok(String::new());
                        }
                        faults.push(fault);
                        Ok(String::new())
                    }
                });
                if let Err(fault) = tried {
                    faults.push(fault);
                    return Err(faults);
                }
                fuel -= granted - budget.fuel;
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// What costs much is not tried again in another language.
fn ends_the_trial(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::OutOfFuel | FaultKind::TooLong)
}

/// What is inside a list or an object that has no example is not known: nothing can be said about it.
fn excused(fault: &Fault, variables: &[Variable]) -> bool {
    let opaque = |variable: &Variable| {
        let shapeless = matches!(variable.kind, VariableKind::List | VariableKind::Object);
        shapeless && variable.example.is_none() && variable.default.is_none()
    };
    matches!(fault.kind, FaultKind::Undefined | FaultKind::Operation) && variables.iter().any(opaque)
}

fn example(variable: &Variable) -> serde_json::Value {
    let given = variable.example.as_ref().or(variable.default.as_ref()).cloned();
    given.unwrap_or_else(|| match variable.kind {
        VariableKind::String => json!("text"),
        VariableKind::Number => json!(1),
        VariableKind::Boolean => json!(true),
        VariableKind::Date => json!("2026-01-02"),
        VariableKind::List => json!([]),
        VariableKind::Object => json!({}),
    })
}
