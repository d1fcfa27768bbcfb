//! Which connections may carry a step, in which order, and why. Pure: chance arrives as a seed.
//!
//! Connections are ranked by, in this order: whether they can be used now; what the message or the tenant's first fitting
//! rule says; how they have fared; whether they would answer in time; the tenant's own before shared ones; price; age. Each
//! comparison is of a few classes and not of raw figures, so that an order changes for a reason that can be told.

mod health;
mod rule;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{
    TenantId, UnixMillis, address::Channel, connection::Connection, message::Mode, money::Money,
    plan::Candidate,
};

pub use health::{Fitness, Health};
pub use rule::{Match, RouteRule, Subject};

/// Why a step has no candidates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// The tenant has no connection of that name for this channel and mode.
    #[error("no {channel} connection called {name}")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// On this channel.
        channel: &'static str,
    },
    /// The tenant has no connection for this channel and mode at all.
    #[error("no connection for {channel}")]
    NoConnection {
        /// On this channel.
        channel: &'static str,
    },
    /// There are connections, and each of them is rejected.
    #[error("every connection of the step is rejected")]
    AllRejected(Vec<Considered>),
}

/// A connection, and what is known of it at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// How it has fared; the default where nothing is known.
    pub health: Health,
    /// What the message would cost through it, all segments together; `None`: unknown.
    pub price: Option<Money>,
    /// It reaches the recipient's country.
    pub reaches: bool,
}

/// What a step asks.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// For whom.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// On which channel.
    pub channel: Channel,
    /// Connections that the step names, in order; empty: whichever there are.
    pub named: &'a [String],
    /// The tenant's rules, first to last; the first that fits counts.
    pub rules: &'a [RouteRule],
    /// What rules look at.
    pub subject: Subject<'a>,
    /// Most that the message may cost.
    pub budget: Option<Money>,
    /// The step must have succeeded by then.
    pub deadline: UnixMillis,
    /// Now.
    pub now: UnixMillis,
    /// Chance: the same seed gives the same order.
    pub seed: u64,
    /// Of so many messages in a hundred another usable connection goes first, so that figures of all stay fresh.
    pub exploration_percent: u8,
}

/// What became of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may carry the step, in the order of the plan.
    Taken,
    /// It cannot be used now, and stands behind those that can.
    Standby,
    /// It does not carry the step.
    Rejected,
}

/// Why.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The step names it.
    Named,
    /// The step names others.
    NotNamed,
    /// A rule prefers it.
    Rule,
    /// A rule excludes it.
    ExcludedByRule,
    /// It stands where its health, price and age put it.
    Ranked,
    /// It was moved to the front, so that its figures stay fresh.
    Explored,
    /// Most of its last calls failed.
    Failing,
    /// Receipts of most of its messages do not come.
    Silent,
    /// It answers too slowly for the step.
    Slow,
    /// An operator holds it.
    Held,
    /// Its breaker is open.
    BreakerOpen,
    /// The provider has asked for a pause.
    Throttled,
    /// The provider has asked for a pause that ends after the step.
    ThrottledTooLong,
    /// It does not reach the recipient's country.
    CountryNotServed,
    /// It costs more than the message may.
    CostExceeded,
    /// Its price is in another currency than what the message may cost, so nobody can tell whether it is too much.
    BudgetCurrency,
    /// The recipient does not want to hear from its sender.
    RecipientSuppressed,
}

impl Verdict {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Standby => "standby",
            Self::Rejected => "rejected",
        }
    }
}

impl Reason {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::NotNamed => "not_named",
            Self::Rule => "rule",
            Self::ExcludedByRule => "excluded_by_rule",
            Self::Ranked => "ranked",
            Self::Explored => "explored",
            Self::Failing => "failing",
            Self::Silent => "silent",
            Self::Slow => "slow",
            Self::Held => "held",
            Self::BreakerOpen => "breaker_open",
            Self::Throttled => "throttled",
            Self::ThrottledTooLong => "throttled_too_long",
            Self::CountryNotServed => "country_not_served",
            Self::CostExceeded => "cost_exceeded",
            Self::BudgetCurrency => "budget_currency",
            Self::RecipientSuppressed => "recipient_suppressed",
        }
    }
}

/// A connection that was considered for a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Considered {
    /// The tenant's name for it.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

/// The answer to a question: an order, and an explanation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Connections in the order in which they are tried; never empty. Those on standby come last.
    pub candidates: Vec<Candidate>,
    /// Every connection of the channel, in the order of the route, then the rejected ones by name.
    pub considered: Vec<Considered>,
}

/// Ranks the connections of a channel for a step. The order of `options` does not matter.
///
/// # Errors
/// [`NoRoute`]; the step cannot run.
pub fn route(question: &Question<'_>, options: &[Choice<'_>]) -> Result<Route, NoRoute> {
    let channel = question.channel.as_str();
    let fits = |option: &&Choice<'_>| {
        let connection = option.connection;
        connection.channel == question.channel && connection.serves(question.tenant, question.mode)
    };
    let mut usable: Vec<&Choice<'_>> = options.iter().filter(fits).collect();
    // A name may stand for an own and a shared connection; the own one comes first.
    usable.sort_by_key(|option| (option.connection.tenant.is_none(), option.connection.id));
    if usable.is_empty() && question.named.is_empty() {
        return Err(NoRoute::NoConnection { channel });
    }
    let positions = positions(question, &usable)?;
    let mut ranked = Vec::with_capacity(usable.len());
    let mut rejected = Vec::new();
    for (option, position) in usable.iter().zip(positions) {
        match judge(question, option, position) {
            Judged::Ranked(place) => ranked.push((place, *option)),
            Judged::Rejected(reason) => rejected.push(considered(option, Verdict::Rejected, reason)),
        }
    }
    ranked.sort_by_key(|(place, option)| (place.key(option), option.connection.id));
    explore(question, &mut ranked);
    rejected.sort_by(|one, other| one.name.cmp(&other.name));
    if ranked.is_empty() {
        return Err(NoRoute::AllRejected(rejected));
    }
    let candidates = ranked.iter().map(|(_, option)| candidate(option)).collect();
    let taken = ranked.iter().map(|(place, option)| considered(option, place.verdict(), place.reason));
    Ok(Route { candidates, considered: taken.chain(rejected).collect() })
}

/// Where the step or a rule puts a connection.
#[derive(Clone, Copy)]
enum Position {
    /// At this place among those that are put anywhere.
    At(usize, Reason),
    /// Behind them.
    Anywhere,
    Out(Reason),
}

/// One position for each of `usable`.
fn positions(question: &Question<'_>, usable: &[&Choice<'_>]) -> Result<Vec<Position>, NoRoute> {
    if question.named.is_empty() {
        let rule = question.rules.iter().find(|rule| rule.when.fits(&question.subject));
        let position = |option: &&Choice<'_>| match rule {
            Some(rule) if rule.excludes(option.connection) => Position::Out(Reason::ExcludedByRule),
            Some(rule) => rule
                .place(option.connection, question.seed)
                .map_or(Position::Anywhere, |place| Position::At(place, Reason::Rule)),
            None => Position::Anywhere,
        };
        return Ok(usable.iter().map(position).collect());
    }
    let mut positions = vec![Position::Out(Reason::NotNamed); usable.len()];
    for (place, name) in question.named.iter().enumerate() {
        // Its own name says which is meant, even where another one's provider is called the same.
        let by_name = usable.iter().position(|option| option.connection.name == *name);
        let by_provider = || usable.iter().position(|option| option.connection.provider == *name);
        let Some(index) = by_name.or_else(by_provider) else {
            return Err(NoRoute::UnknownName { name: name.clone(), channel: question.channel.as_str() });
        };
        if let Position::Out(_) = positions[index] {
            positions[index] = Position::At(place, Reason::Named);
        }
    }
    Ok(positions)
}

enum Judged {
    Ranked(Place),
    Rejected(Reason),
}

/// What a connection is ranked by.
#[derive(Clone, Copy)]
struct Place {
    standby: bool,
    position: usize,
    fitness: Fitness,
    reason: Reason,
}

impl Place {
    fn key(self, option: &Choice<'_>) -> impl Ord + use<> {
        let price = option.price.map(|price| (price.currency.as_str().to_owned(), price.micros));
        let known = price.is_none();
        (self.standby, self.position, self.fitness, option.connection.tenant.is_none(), known, price)
    }

    const fn verdict(self) -> Verdict {
        if self.standby { Verdict::Standby } else { Verdict::Taken }
    }
}

fn judge(question: &Question<'_>, option: &Choice<'_>, position: Position) -> Judged {
    let (position, wanted) = match position {
        Position::Out(reason) => return Judged::Rejected(reason),
        Position::At(place, reason) => (place, Some(reason)),
        Position::Anywhere => (usize::MAX, None),
    };
    if !option.reaches {
        return Judged::Rejected(Reason::CountryNotServed);
    }
    if let Some(reason) = question.budget.and_then(|budget| too_dear(option.price, budget)) {
        return Judged::Rejected(reason);
    }
    let health = option.health;
    if health.throttled_until.is_some_and(|until| until >= question.deadline) {
        return Judged::Rejected(Reason::ThrottledTooLong);
    }
    let held = health.held || option.connection.held;
    let fitness = health.fitness(question.deadline.since(question.now));
    let unusable =
        match (held, health.is_open, health.throttled_until.is_some_and(|until| until > question.now)) {
            (true, _, _) => Some(Reason::Held),
            (false, true, _) => Some(Reason::BreakerOpen),
            (false, false, true) => Some(Reason::Throttled),
            (false, false, false) => None,
        };
    let reason = unusable.or(wanted).or_else(|| fitness.reason()).unwrap_or(Reason::Ranked);
    Judged::Ranked(Place { standby: unusable.is_some(), position, fitness, reason })
}

/// Why a connection does not keep within `budget`. One without a price cannot be held against it: it ranks behind those
/// that have one.
pub(crate) fn too_dear(price: Option<Money>, budget: Money) -> Option<Reason> {
    match price {
        None => None,
        Some(price) if price.currency != budget.currency => Some(Reason::BudgetCurrency),
        Some(price) => (price.micros > budget.micros).then_some(Reason::CostExceeded),
    }
}

/// Lets another usable connection go first now and then, unless the order is somebody's wish.
fn explore(question: &Question<'_>, ranked: &mut [(Place, &Choice<'_>)]) {
    let free =
        |place: &Place| !place.standby && place.position == usize::MAX && place.fitness == Fitness::GOOD;
    let choices = ranked.iter().take_while(|(place, _)| free(place)).count();
    let draw = mix(question.seed ^ 0x6578_706c_6f72_6521);
    if choices < 2 || draw % 100 >= u64::from(question.exploration_percent) {
        return;
    }
    let other = 1 + usize::try_from((draw / 100) % (choices as u64 - 1)).unwrap_or(0);
    ranked[..=other].rotate_right(1);
    ranked[0].0.reason = Reason::Explored;
}

fn considered(option: &Choice<'_>, verdict: Verdict, reason: Reason) -> Considered {
    Considered { name: option.connection.name.clone(), verdict, reason }
}

fn candidate(choice: &Choice<'_>) -> Candidate {
    let connection = choice.connection;
    Candidate {
        connection: connection.id,
        name: connection.name.clone(),
        provider: connection.provider.clone(),
        price: choice.price,
    }
}

/// A well mixed number from another. Source: the finaliser of `SplitMix64` (Steele, Lea, Flood 2014).
const fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
