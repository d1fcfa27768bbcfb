//! What is wrong with a template, and where.

use std::fmt;

use minijinja::{Error, ErrorKind};

/// Longest detail of the engine that is passed on, in characters.
const DETAIL_CHARS_MAX: usize = 200;

/// A template that cannot be compiled or rendered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{kind}{}", Place(*line))]
pub struct Fault {
    /// JSON pointer to the text within its version, such as `/locales/da/sms/text`.
    pub pointer: String,
    /// Line within that text, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub kind: FaultKind,
    /// The engine's words. They may quote template and data, so they are for the template's author only.
    pub detail: Option<String>,
}

/// What is wrong with a template.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FaultKind {
    /// It is no template.
    #[error("syntax error")]
    Syntax,
    /// It uses a variable that is not declared.
    #[error("the variable {0} is not declared")]
    Undeclared(String),
    /// A tag is longer, or there is more of what can nest, than the engine can safely follow.
    #[error("an expression is too long, or brackets, loops, set or elif are too many")]
    TooComplex,
    /// It calls something that there is not.
    #[error("no such filter, test, function or method")]
    UnknownCall,
    /// It uses a value that is not there, such as an optional variable without a default.
    #[error("a value is used that is not there")]
    Undefined,
    /// It does something that does not fit the values, such as adding a text to a number.
    #[error("an operation does not fit its values")]
    Operation,
    /// It takes too much work.
    #[error("the template takes too much work")]
    OutOfFuel,
    /// It makes too much text.
    #[error("the text grows too long")]
    TooLong,
    /// It has more texts than a language may have.
    #[error("there are too many texts")]
    TooManyParts,
}

impl FaultKind {
    /// Stable code for clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax => "template_syntax",
            Self::Undeclared(_) => "undeclared_variable",
            Self::TooComplex => "template_too_complex",
            Self::UnknownCall => "template_unknown_call",
            Self::Undefined => "template_undefined",
            Self::Operation => "template_operation",
            Self::OutOfFuel => "template_out_of_fuel",
            Self::TooLong => "template_too_long",
            Self::TooManyParts => "template_too_many_texts",
        }
    }
}

impl Fault {
    pub(crate) fn new(pointer: &str, kind: FaultKind) -> Self {
        Self { pointer: pointer.to_owned(), line: None, kind, detail: None }
    }

    pub(crate) fn of(pointer: &str, error: &Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::SyntaxError | ErrorKind::BadEscape | ErrorKind::InvalidDelimiter => FaultKind::Syntax,
            ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod => FaultKind::UnknownCall,
            ErrorKind::UndefinedError => FaultKind::Undefined,
            ErrorKind::OutOfFuel => FaultKind::OutOfFuel,
            ErrorKind::WriteFailure => FaultKind::TooLong,
            _ => FaultKind::Operation, // The enum may grow.
        };
        let detail = error.detail().map(|detail| detail.chars().take(DETAIL_CHARS_MAX).collect());
        Self { pointer: pointer.to_owned(), line: error.line(), kind, detail }
    }
}

struct Place(Option<usize>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, " in line {line}"))
    }
}
