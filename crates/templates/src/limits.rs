//! What a template may cost.

/// Most texts with gaps that one language of a template may hold.
pub const PARTS_MAX: usize = 100;

/// Limits of rendering. A unit of fuel pays for one instruction of the engine, or for 64 bytes of text
/// that it makes or reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Fuel of one text, such as the HTML of an email.
    pub fuel_per_part: u64,
    /// Fuel of all texts of one message. Looked at after each text, so the last may go beyond it.
    pub fuel_per_message: u64,
    /// Fuel of the trial of a new version, all languages together.
    pub fuel_per_trial: u64,
    /// Bytes of all texts of one message.
    pub output_bytes: usize,
    /// Depth of loops that call themselves.
    pub recursion: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel_per_part: 25_000,
            fuel_per_message: 50_000,
            fuel_per_trial: 1_000_000,
            output_bytes: 256 * 1024,
            recursion: 50,
        }
    }
}
