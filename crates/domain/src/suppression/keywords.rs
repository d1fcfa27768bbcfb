//! What a text from a recipient means: a message that is nothing but a keyword changes consent.
//!
//! English words count everywhere; those of other languages count for numbers of countries where they are spoken, so
//! that a word of one language does not silence whoever means something else by it. A country is told by its calling
//! code, which needs no numbering plan.
//!
//! Sources: English words: CTIA Short Code Monitoring Handbook; Twilio, "Support for opt-out keywords (SMS STOP
//! filtering)"; AWS End User Messaging, "Required opt-out keywords", which also has ARRET. No such register exists for
//! the other languages: there, the words are those that a sender's notice commonly names.

/// What a text from a recipient means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// Stop sending.
    OptOut,
    /// Send again.
    OptIn,
    /// Say who sends and how to stop.
    Help,
    /// Anything else.
    Other,
}

/// The keywords of one language, in upper case.
struct Words {
    stop: &'static [&'static str],
    start: &'static [&'static str],
    help: &'static [&'static str],
}

const ENGLISH: Words = Words {
    stop: &[
        "STOP",
        "STOPALL",
        "STOP ALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "OPT-OUT",
        "OPT OUT",
        "REMOVE",
    ],
    start: &["START", "UNSTOP"],
    help: &["HELP", "INFO"],
};
const DANISH: Words =
    Words { stop: &["AFMELD", "FRAMELD"], start: &["TILMELD"], help: &["HJÆLP", "HJAELP"] };
const SWEDISH: Words =
    Words { stop: &["STOPP", "AVSLUTA", "AVREGISTRERA"], start: &["STARTA"], help: &["HJÄLP", "HJALP"] };
const NORWEGIAN: Words =
    Words { stop: &["STOPP", "AVSLUTT", "AVMELD"], start: &["PÅMELD"], help: &["HJELP"] };
const FINNISH: Words =
    Words { stop: &["SEIS", "LOPETA", "PERU"], start: &["ALOITA"], help: &["OHJE", "APUA"] };
const GERMAN: Words =
    Words { stop: &["STOPP", "ABMELDEN", "ABBESTELLEN"], start: &["ANMELDEN"], help: &["HILFE"] };
const FRENCH: Words = Words {
    stop: &["ARRET", "ARRÊT", "ARRETER", "ARRÊTER", "DESABONNER", "DÉSABONNER", "STOP SMS", "STOPSMS"],
    start: &["REPRENDRE"],
    help: &["AIDE"],
};
const SPANISH: Words =
    Words { stop: &["PARAR", "BAJA", "ALTO", "CANCELAR"], start: &["ALTA", "INICIAR"], help: &["AYUDA"] };
const ITALIAN: Words =
    Words { stop: &["FERMA", "ANNULLA", "CANCELLA", "DISISCRIVI"], start: &["INIZIA"], help: &["AIUTO"] };
const DUTCH: Words =
    Words { stop: &["STOPPEN", "AFMELDEN", "UITSCHRIJVEN"], start: &["AANMELDEN"], help: &["HULP"] };
const POLISH: Words = Words {
    stop: &["REZYGNUJ", "REZYGNUJE", "REZYGNUJĘ", "WYPISZ"],
    start: &["WZNÓW", "WZNOW"],
    help: &["POMOC"],
};
const PORTUGUESE: Words =
    Words { stop: &["PARAR", "SAIR", "CANCELAR"], start: &["INICIAR"], help: &["AJUDA"] };

/// Languages by calling code, beside English. No code here is the beginning of another one.
const COUNTRIES: [(&str, &[Words]); 29] = [
    ("+1", &[SPANISH, FRENCH]),          // US, CA and others
    ("+31", &[DUTCH]),                   // NL
    ("+32", &[DUTCH, FRENCH, GERMAN]),   // BE
    ("+33", &[FRENCH]),                  // FR
    ("+34", &[SPANISH]),                 // ES
    ("+351", &[PORTUGUESE]),             // PT
    ("+352", &[FRENCH, GERMAN]),         // LU
    ("+358", &[FINNISH, SWEDISH]),       // FI
    ("+39", &[ITALIAN, GERMAN]),         // IT
    ("+41", &[GERMAN, FRENCH, ITALIAN]), // CH
    ("+43", &[GERMAN]),                  // AT
    ("+45", &[DANISH]),                  // DK
    ("+46", &[SWEDISH]),                 // SE
    ("+47", &[NORWEGIAN]),               // NO
    ("+48", &[POLISH]),                  // PL
    ("+49", &[GERMAN]),                  // DE
    ("+423", &[GERMAN]),                 // LI
    ("+298", &[DANISH]),                 // FO
    ("+299", &[DANISH]),                 // GL
    ("+51", &[SPANISH]),                 // PE
    ("+52", &[SPANISH]),                 // MX
    ("+54", &[SPANISH]),                 // AR
    ("+55", &[PORTUGUESE]),              // BR
    ("+56", &[SPANISH]),                 // CL
    ("+57", &[SPANISH]),                 // CO
    ("+58", &[SPANISH]),                 // VE
    ("+593", &[SPANISH]),                // EC
    ("+598", &[SPANISH]),                // UY
    ("+377", &[FRENCH, ITALIAN]),        // MC
];

/// Longest text looked at, in bytes: no keyword is as long.
const TEXT_BYTES_MAX: usize = 64;

/// What `text` from `number` (E.164) means. Case, blanks around and between words, and punctuation at the end do not
/// matter; one word more, and it is a message like any other.
pub fn meaning(number: &str, text: &str) -> Meaning {
    let word = word(text);
    let local =
        COUNTRIES.iter().find(|(code, _)| number.starts_with(code)).map_or(&[][..], |(_, words)| *words);
    let spoken = || std::iter::once(&ENGLISH).chain(local);
    let any = |list: fn(&Words) -> &'static [&'static str]| {
        spoken().any(|words| list(words).contains(&word.as_str()))
    };
    if word.is_empty() {
        Meaning::Other
    } else if any(|words| words.stop) {
        Meaning::OptOut
    } else if any(|words| words.start) {
        Meaning::OptIn
    } else if any(|words| words.help) {
        Meaning::Help
    } else {
        Meaning::Other
    }
}

/// The text as the tables spell it; empty for one that is too long to be a keyword.
fn word(text: &str) -> String {
    let text = text.trim_matches(|char: char| char.is_whitespace() || matches!(char, '.' | '!' | '"' | '\''));
    if text.len() > TEXT_BYTES_MAX {
        return String::new();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
}
