//! A look at a template's tokens, before the engine's parser sees them.
//!
//! The parser bounds how deep brackets and blocks nest, but not how long a chain grows (`1 + 1 + …`,
//! `x|f|f…`, `elif`…), and what it makes of a chain is as deep as the chain is long: some ten thousand links
//! overflow the stack. So do values that contain each other as deep (`{% set a = [a] %}` again and again), when
//! they are printed, compared or dropped. So everything that could add a level is counted. The engine's own
//! tokens are, as any other reading could disagree about where a tag ends.

use minijinja::machinery::{Span, Token, tokenize};

use crate::{
    environment::{FILTERS, TESTS},
    fault::{Fault, FaultKind},
};

/// Most tokens between `{{` and `}}`, or `{%` and `%}`.
const TAG_TOKENS_MAX: usize = 200;
/// Most `elif` in one text.
const ELIF_MAX: usize = 50;

/// How deep brackets nest within a tag.
const BRACKETS_MAX: usize = 10;
/// Most brackets and commas in all `set` and `with` of one text: each can put a value into another.
const SET_PARTS_MAX: usize = 100;
/// How deep blocks nest, loops included.
const BLOCKS_MAX: usize = 20;
/// How deep `for` nests: each can do so once more.
const LOOPS_MAX: usize = 10;

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

/// What was counted so far.
#[derive(Default)]
struct Counted {
    /// Tokens of this tag.
    length: usize,
    /// Open brackets of this tag.
    brackets: usize,
    elifs: usize,
    /// Open blocks.
    blocks: usize,
    /// Whether this tag gives a value a name.
    sets: bool,
    /// Whether this tag has a `=`: a `set` without one begins a block.
    assigns: bool,
    /// Brackets and commas in such tags.
    set_parts: usize,
    /// Open loops.
    loops: usize,
}

/// Refuses what would be too much for the engine, and calls of filters and tests that there are not.
pub(crate) fn check(pointer: &str, source: &str) -> Result<(), Fault> {
    let mut counted = Counted::default();
    let mut before = Before::Nothing;
    for token in tokenize(source, false, Default::default()) {
        let (token, span) = token.map_err(|error| Fault::of(pointer, &error))?;
        let known = match (before, &token) {
            (Before::Filter, Token::Ident(name)) => FILTERS.contains(name),
            (Before::Test, Token::Ident(name)) => *name == "not" || TESTS.contains(name),
            // A loop that calls itself would multiply every other count.
            (_, Token::Ident(name)) => *name != "recursive",
            _ => true,
        };
        if !known {
            return Err(at(pointer, &span, FaultKind::UnknownCall));
        }
        counted.take(before, &token);
        if counted.is_too_much() {
            return Err(at(pointer, &span, FaultKind::TooComplex));
        }
        before = after(before, &token);
    }
    Ok(())
}

impl Counted {
    fn take(&mut self, before: Before, token: &Token<'_>) {
        self.length += 1;
        let part = matches!(token, Token::BracketOpen | Token::BraceOpen | Token::ParenOpen | Token::Comma);
        self.set_parts += usize::from(self.sets && part);
        match (before, token) {
            (_, Token::VariableStart | Token::BlockStart | Token::TemplateData(_)) => {
                (self.length, self.brackets, self.sets, self.assigns) = (0, 0, false, false);
            }
            (_, Token::BracketOpen | Token::BraceOpen | Token::ParenOpen) => self.brackets += 1,
            (_, Token::BracketClose | Token::BraceClose | Token::ParenClose) => {
                self.brackets = self.brackets.saturating_sub(1);
            }
            (Before::Block, Token::Ident("elif")) => self.elifs += 1,
            (Before::Block, Token::Ident(name)) => self.block(name),
            (_, Token::Assign) => self.assigns = true,
            (_, Token::BlockEnd) if self.sets && !self.assigns => self.blocks += 1,
            _ => {}
        }
    }

    /// A tag that begins with `name`.
    fn block(&mut self, name: &str) {
        match name {
            "set" => self.sets = true,
            "with" => {
                // Its `=` begin no other block than its own.
                (self.sets, self.assigns) = (true, true);
                self.blocks += 1;
            }
            "for" => {
                self.loops += 1;
                self.blocks += 1;
            }
            "if" | "filter" | "autoescape" => self.blocks += 1,
            "endfor" => {
                self.loops = self.loops.saturating_sub(1);
                self.blocks = self.blocks.saturating_sub(1);
            }
            "endif" | "endfilter" | "endautoescape" | "endwith" | "endset" => {
                self.blocks = self.blocks.saturating_sub(1);
            }
            _ => {}
        }
    }

    const fn is_too_much(&self) -> bool {
        self.length > TAG_TOKENS_MAX
            || self.brackets > BRACKETS_MAX
            || self.elifs > ELIF_MAX
            || self.set_parts > SET_PARTS_MAX
            || self.loops > LOOPS_MAX
            || self.blocks > BLOCKS_MAX
    }
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
