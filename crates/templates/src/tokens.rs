//! A look at a template's tokens, before the engine's parser sees them.
//!
//! The parser bounds how deep brackets and blocks nest, but not how long a chain grows (`1 + 1 + …`,
//! `x|f|f…`, `elif`…), and what it makes of a chain is as deep as the chain is long: some ten thousand links
//! overflow the stack. So a tag has a bounded number of tokens. The engine's own tokens are counted, as any
//! other reading could disagree about where a tag ends.

use minijinja::machinery::{Span, Token, tokenize};

use crate::{
    environment::{FILTERS, TESTS},
    fault::{Fault, FaultKind},
};

/// Most tokens between `{{` and `}}`, or `{%` and `%}`.
const TAG_TOKENS_MAX: usize = 300;
/// Most `elif` in one text.
const ELIF_MAX: usize = 100;

/// What the tokens so far lead one to expect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// `{%`
    Block,
    /// `|`, or `{% filter`.
    Filter,
    /// `is`, or `is not`.
    Test,
}

/// Refuses what would be too much for the parser, and calls of filters and tests that there are not.
pub(crate) fn check(pointer: &str, source: &str) -> Result<(), Fault> {
    let (mut length, mut elifs) = (0, 0);
    let mut before = Before::Nothing;
    for token in tokenize(source, false, Default::default()) {
        let (token, span) = token.map_err(|error| Fault::of(pointer, &error))?;
        let known = match (before, &token) {
            (Before::Filter, Token::Ident(name)) => FILTERS.contains(name),
            (Before::Test, Token::Ident(name)) => *name == "not" || TESTS.contains(name),
            _ => true,
        };
        if !known {
            return Err(at(pointer, &span, FaultKind::UnknownCall));
        }
        length = match token {
            Token::VariableStart | Token::BlockStart | Token::TemplateData(_) => 0,
            _ => length + 1,
        };
        elifs += usize::from(before == Before::Block && matches!(token, Token::Ident("elif")));
        if length > TAG_TOKENS_MAX || elifs > ELIF_MAX {
            return Err(at(pointer, &span, FaultKind::TooComplex));
        }
        before = after(before, &token);
    }
    Ok(())
}

fn after(before: Before, token: &Token<'_>) -> Before {
    match (before, token) {
        (_, Token::BlockStart) => Before::Block,
        (_, Token::Pipe) | (Before::Block, Token::Ident("filter")) => Before::Filter,
        (Before::Test, Token::Ident("not")) => Before::Test,
        (Before::Nothing, Token::Ident("is")) => Before::Test,
        _ => Before::Nothing,
    }
}

fn at(pointer: &str, span: &Span, kind: FaultKind) -> Fault {
    Fault { pointer: pointer.to_owned(), line: Some(usize::from(span.start_line)), kind, detail: None }
}
