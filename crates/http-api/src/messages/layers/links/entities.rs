//! Character references of HTML, as far as they can be part of a link.

/// Longest reference that is looked for, in bytes after the ampersand.
const NAME_BYTES_MAX: usize = 24;

/// Names that stand for what a link is made of, or for what is ignored in one. Source: the HTML standard, "named character
/// references"; those of styled letters follow a rule, see [`styled`].
#[rustfmt::skip]
const NAMES: [(&str, char); 52] = [
    ("amp", '&'), ("AMP", '&'), ("apos", '\''), ("ast", '*'), ("bsol", '\\'), ("colon", ':'), ("comma", ','),
    ("commat", '@'), ("dash", '\u{2010}'), ("dollar", '$'), ("equals", '='), ("excl", '!'), ("gt", '>'), ("GT", '>'),
    ("hyphen", '\u{2010}'), ("lowbar", '_'), ("lpar", '('), ("lt", '<'), ("LT", '<'), ("nbsp", '\u{a0}'),
    ("NewLine", '\n'), ("NoBreak", '\u{2060}'), ("num", '#'), ("percnt", '%'), ("period", '.'), ("plus", '+'),
    ("quest", '?'), ("quot", '"'), ("QUOT", '"'), ("rpar", ')'), ("semi", ';'), ("shy", '\u{ad}'), ("sol", '/'),
    ("Tab", '\t'), ("UnderBar", '_'), ("zwj", '\u{200d}'), ("zwnj", '\u{200c}'), ("ZeroWidthSpace", '\u{200b}'),
    ("NegativeVeryThinSpace", '\u{200b}'), ("NegativeThinSpace", '\u{200b}'), ("NegativeMediumSpace", '\u{200b}'),
    ("NegativeThickSpace", '\u{200b}'), ("ApplyFunction", '\u{2061}'), ("InvisibleTimes", '\u{2062}'),
    ("InvisibleComma", '\u{2063}'), ("sup1", '1'), ("sup2", '2'), ("sup3", '3'), ("ordf", 'a'), ("ordm", 'o'),
    ("ell", 'l'), ("planckh", 'h'),
];

/// Names that browsers know without a semicolon after them, as well. The others that are known like that are letters of
/// their own, which no rule makes a plain one of.
const BARE: [&str; 13] =
    ["amp", "AMP", "gt", "GT", "lt", "LT", "nbsp", "quot", "QUOT", "shy", "ordf", "ordm", "sup1"];

/// `html` with its references replaced; those that are not known stay as they are.
pub(super) fn decoded(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match reference(rest) {
            Some((char, length)) => {
                text.push(char);
                rest = &rest[length..];
            }
            None => text.push('&'),
        }
    }
    text.push_str(rest);
    text
}

/// The character that `rest`, after an ampersand, begins with, and how many bytes name it.
fn reference(rest: &str) -> Option<(char, usize)> {
    match rest.strip_prefix('#') {
        Some(number) => numeric(number).map(|(char, length)| (char, length + 1)),
        None => named(rest),
    }
}

fn numeric(number: &str) -> Option<(char, usize)> {
    let (digits, radix, before) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 1),
        None => (number, 10, 0),
    };
    let length = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let value = digits[..length].trim_start_matches('0');
    let char = u32::from_str_radix(value, radix).ok().and_then(char::from_u32)?;
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some((char, before + length + semicolon))
}

fn named(rest: &str) -> Option<(char, usize)> {
    let length = rest.bytes().take(NAME_BYTES_MAX).take_while(u8::is_ascii_alphanumeric).count();
    let name = &rest[..length];
    let known = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map(|(_, char)| *char);
    if rest[length..].starts_with(';')
        && let Some(char) = known(name).or_else(|| styled(name))
    {
        return Some((char, length + 1));
    }
    let bare = BARE.into_iter().find(|bare| name.starts_with(bare))?;
    Some((known(bare)?, bare.len()))
}

/// The plain letter of `𝔞` (`&afr;`), `𝒶` (`&ascr;`) and `𝕒` (`&aopf;`): in the name of a host they mean the same.
fn styled(name: &str) -> Option<char> {
    let letter = ["fr", "scr", "opf"].into_iter().find_map(|style| name.strip_suffix(style))?;
    let mut chars = letter.chars();
    chars.next().filter(|char| char.is_ascii_alphabetic() && chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_and_everything_else_stays() {
        for (html, text) in [
            ("a&#46;b&#x2e;c&#X2E;d&period;e", "a.b.c.d.e"),
            ("&#46b&#0000046;", ".b."),
            ("&ampamp; &amp;lt; &shy", "&amp; &lt; \u{ad}"),
            ("&aopf;&Bfr;&cscr;", "aBc"),
            (
                "&; &# &#; &#x; &#xg; &#xd800; &#99999999999; & &unknown; &period &",
                "&; &# &#; &#x; &#xg; &#xd800; &#99999999999; & &unknown; &period &",
            ),
            ("&æ&#æ", "&æ&#æ"),
        ] {
            assert_eq!(decoded(html), text, "{html}");
        }
    }
}
