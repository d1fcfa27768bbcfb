//! The persisted format: every version that was ever written still decodes.

use super::fixture::{Run, failure, reached};
use crate::{
    cascade::{ArrivedPart, DecodeError, State, decode, encode},
    outcome::{ErrorClass, Level, Outcome},
};

/// A message whose SMS outcome is unknown and whose email was delivered, with a late receipt behind it that was not told
/// to be late: the samples were written before it was.
fn sample() -> State {
    let mut run = Run::standard();
    run.permit().after_ms(40).outcome(Outcome::Unknown(failure(ErrorClass::Network))).due();
    run.permit().after_ms(3).accept().after_ms(60).receipt(2, reached(Level::Delivered));
    let mut timeline = run.state().timeline.clone();
    run.after_ms(9).receipt(1, reached(Level::Delivered));
    let mut state = run.cascade.state;
    timeline.push(state.timeline.entries()[timeline.len()]);
    (state.timeline, state.flags.delivered_late) = (timeline, false);
    state
}

fn stored(version: u8) -> Vec<u8> {
    let path = format!("{}/../../schema/state/v{version}.hex", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("a sample of every version");
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The sample with a part of a long text, which version 1 did not know.
fn sample_with_part() -> State {
    let mut state = sample();
    state.arrived_parts.push(ArrivedPart { attempt: 1, part: 0x811C_9DC5 });
    state
}

#[test]
fn version_1_decodes_to_what_was_written() {
    assert_eq!(decode(&stored(1)).as_ref(), Ok(&sample()));
}

#[test]
fn version_2_decodes_to_what_was_written_and_is_written_the_same() {
    let state = sample_with_part();
    if std::env::var_os("HERMES_BLESS").is_some() {
        let text: String = encode(&state)
            .chunks(32)
            .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
            .collect();
        std::fs::write(format!("{}/../../schema/state/v2.hex", env!("CARGO_MANIFEST_DIR")), text).unwrap();
    }
    assert_eq!(decode(&stored(2)).as_ref(), Ok(&state));
    assert_eq!(encode(&state), stored(2));
}

#[test]
fn a_one_step_message_stays_small() {
    let mut run = Run::standard();
    let id = "SM00000000000000000000000000000001";
    let acceptance =
        crate::outcome::Acceptance { provider_message_id: Some(id.into()), ..Default::default() };
    run.permit()
        .after_ms(5)
        .outcome(Outcome::Accepted(acceptance))
        .after_ms(50)
        .receipt(1, reached(Level::Delivered));
    let bytes = encode(run.state()).len();
    assert!(bytes <= 350, "{bytes} bytes");
}

#[test]
fn damage_and_later_versions_are_refused() {
    assert_eq!(decode(&[]), Err(DecodeError::Empty));
    assert_eq!(decode(&[9, 1, 2]), Err(DecodeError::UnknownVersion(9)));
    let whole = encode(&sample());
    assert!(matches!(decode(&whole[..whole.len() - 3]), Err(DecodeError::Damaged(_))));
}
