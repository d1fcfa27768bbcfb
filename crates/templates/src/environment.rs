//! What templates can call: a short list, so that whatever is on it can be promised.

use minijinja::{
    Environment, Error, HtmlEscape, Output, State, UndefinedBehavior, Value, filters as builtin, functions,
    tests as builtin_tests,
};

use crate::{filters, limits::Limits, parts::is_html};

/// Functions that are there without being declared.
pub(crate) const FUNCTIONS: [&str; 1] = ["range"];

/// Filters that [`environment`] has.
pub(crate) const FILTERS: [&str; 12] = [
    "upper",
    "lower",
    "capitalize",
    "trim",
    "default",
    "length",
    "join",
    "first",
    "last",
    "round",
    "date",
    "number",
];
/// Tests that [`environment`] has.
pub(crate) const TESTS: [&str; 5] = ["defined", "undefined", "none", "odd", "even"];

/// An environment without templates.
pub(crate) fn environment(limits: &Limits) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(limits.fuel_per_part));
    environment.set_recursion_limit(limits.recursion);
    // Optional variables may be asked for with `if`; printing one that is not there is an error.
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_formatter(print);
    environment.add_filter("upper", builtin::upper);
    environment.add_filter("lower", builtin::lower);
    environment.add_filter("capitalize", builtin::capitalize);
    environment.add_filter("trim", builtin::trim);
    environment.add_filter("default", builtin::default);
    environment.add_filter("length", builtin::length);
    environment.add_filter("join", builtin::join);
    environment.add_filter("first", builtin::first);
    environment.add_filter("last", builtin::last);
    environment.add_filter("round", builtin::round);
    environment.add_filter("date", filters::date);
    environment.add_filter("number", filters::number);
    environment.add_test("defined", builtin_tests::is_defined);
    environment.add_test("undefined", builtin_tests::is_undefined);
    environment.add_test("none", builtin_tests::is_none);
    environment.add_test("odd", builtin_tests::is_odd);
    environment.add_test("even", builtin_tests::is_even);
    environment.add_function("range", functions::range);
    environment
}

/// Prints a value: escaped in HTML whatever the template says of it, as it is elsewhere, and null as
/// nothing.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    let written = match value.as_str() {
        // What was captured by `set` has been through here already.
        Some(text) if is_html(state.name()) && !value.is_safe() => write!(out, "{}", HtmlEscape(text)),
        Some(text) => out.write_str(text),
        None if is_html(state.name()) => write!(out, "{}", HtmlEscape(&value.to_string())),
        None => write!(out, "{value}"),
    };
    written.map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::ErrorKind;

    #[test]
    fn what_is_promised_is_there() {
        let environment = environment(&Limits::default());
        let calls = FILTERS.map(|name| format!("{{{{ 1|{name} }}}}"));
        let calls = calls.into_iter().chain(TESTS.map(|name| format!("{{{{ 1 is {name} }}}}")));
        for call in calls.chain(FUNCTIONS.map(|name| format!("{{{{ {name}(1) }}}}"))) {
            let kind = environment.render_str(&call, ()).err().map(|error| error.kind());
            let unknown = [ErrorKind::UnknownFilter, ErrorKind::UnknownTest, ErrorKind::UnknownFunction];
            assert!(kind.is_none_or(|kind| !unknown.contains(&kind)), "{call}: {kind:?}");
        }
    }
}
