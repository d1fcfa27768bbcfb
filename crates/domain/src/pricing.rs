//! Money around what was sent: what tenants pay, what is left of it, and where it would have cost less. Pure: counts, rate
//! cards and offers in, amounts out.

mod offer;
mod rate_card;
mod revenue;
mod savings;

pub use offer::{Offer, Period, Quote, QuoteTerms};
pub use rate_card::{Charge, Gap, Rate, RateCard, Refusal, admit, in_force, release};
pub use revenue::{Margin, Missing, Revenue};
pub use savings::{Alternative, Comparison, Used, Verdict, compare};

#[cfg(test)]
mod tests;
