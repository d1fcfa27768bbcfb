//! Who may depend on whom: domain ← ports ← everything else ← the binary.
//!
//! A new edge is a decision about the design. Whoever needs one adds it here, and says why in the commit.

use super::crates::{Crate, Need};

/// Crates of the workspace, each with those that may be part of it.
const INWARDS: [(&str, &[&str]); 24] = [
    // Depend on nothing of ours.
    ("hermes-domain", &[]),
    ("hermes-supervision", &[]),
    ("hermes-config", &[]),
    ("hermes-telemetry", &[]),
    ("hermes-simulator", &[]),
    // Renders content, so it knows what content is, and nothing that could do I/O.
    ("hermes-templates", &["hermes-domain"]),
    // The needs, and what is built on them alone.
    ("hermes-ports", &["hermes-domain"]),
    // Encryption at rest, shared by what keeps credentials and what keeps messages.
    ("hermes-sealing", &["hermes-domain"]),
    ("hermes-directory", &["hermes-domain", "hermes-ports", "hermes-sealing"]),
    ("hermes-testkit", &["hermes-domain", "hermes-ports"]),
    ("hermes-port-contracts", &["hermes-domain", "hermes-ports", "hermes-testkit"]),
    ("hermes-backend-embedded", &["hermes-domain", "hermes-ports", "hermes-sealing", "hermes-telemetry"]),
    ("hermes-backend-cluster", &["hermes-domain", "hermes-ports", "hermes-telemetry"]),
    ("hermes-wasm-host", &["hermes-domain", "hermes-ports", "hermes-telemetry"]),
    // Knows adapters by their port alone, so that tests can hand it a host that breaks every rule.
    ("hermes-adapter-kit", &["hermes-domain", "hermes-ports"]),
    // The real host with real components: whatever is fed to them, it is the whole that must withstand it.
    ("hermes-fuzzing", &["hermes-domain", "hermes-ports", "hermes-wasm-host"]),
    ("hermes-egress", &["hermes-domain", "hermes-ports", "hermes-telemetry"]),
    (
        "hermes-http-api",
        &["hermes-domain", "hermes-ports", "hermes-directory", "hermes-templates", "hermes-telemetry"],
    ),
    // Actors. Cascades and providers do not know each other: they meet at ports.
    ("hermes-actor-cascade", ACTOR),
    ("hermes-actor-provider", ACTOR),
    ("hermes-actor-webhook", ACTOR),
    (
        "hermes-actor-tenant",
        &[
            "hermes-domain",
            "hermes-ports",
            "hermes-directory",
            "hermes-telemetry",
            "hermes-supervision",
            "hermes-actor-cascade",
        ],
    ),
    (
        "hermes-actor-system",
        &[
            "hermes-domain",
            "hermes-ports",
            "hermes-directory",
            "hermes-telemetry",
            "hermes-supervision",
            "hermes-actor-cascade",
            "hermes-actor-provider",
            "hermes-actor-tenant",
            "hermes-actor-webhook",
        ],
    ),
    ("xtask", &["hermes-testkit"]),
];

const ACTOR: &[&str] =
    &["hermes-domain", "hermes-ports", "hermes-directory", "hermes-telemetry", "hermes-supervision"];

/// Puts everything together, so it may know everything but what tests are made of.
const BINARY: &str = "hermes";
const FOR_TESTS: [&str; 4] = ["hermes-testkit", "hermes-port-contracts", "hermes-fuzzing", "xtask"];

/// Packages of others, each with the only crates that may build on it.
const RESERVED: [(&str, &[&str]); 8] = [
    (
        "ractor",
        &[
            "hermes-supervision",
            "hermes-actor-cascade",
            "hermes-actor-provider",
            "hermes-actor-tenant",
            "hermes-actor-webhook",
            "hermes-actor-system",
        ],
    ),
    ("wasmtime", &["hermes-wasm-host"]),
    ("rusqlite", &["hermes-backend-embedded"]),
    ("sqlx", &["hermes-backend-embedded", "hermes-backend-cluster"]),
    ("async-nats", &["hermes-backend-cluster", "hermes-testkit"]),
    ("axum", &["hermes-http-api", "hermes-simulator", "hermes"]),
    // Templates are strangers' programs: their limits are set in one place.
    ("minijinja", &["hermes-templates"]),
    // Libraries name their errors; only programs may sum them up.
    ("anyhow", &["hermes", "xtask"]),
];

/// What the domain may be made of: no clock, no runtime, no I/O.
const PURE: [&str; 8] =
    ["bytes", "jiff", "phonenumber", "postcard", "serde", "serde_json", "thiserror", "ulid"];

/// Edges that point the wrong way.
pub(super) fn check(crates: &[Crate]) -> Vec<String> {
    crates.iter().flat_map(|krate| ours(krate).into_iter().chain(theirs(krate))).collect()
}

fn ours(krate: &Crate) -> Vec<String> {
    let name = krate.name.as_str();
    let Some(allowed) = allowed(name) else {
        return vec![format!("{name} is unknown: say in {} what it may depend on", file!())];
    };
    let part = krate.dependencies(Need::Build).into_iter().filter(|need| !allowed(need));
    let tests = krate.dependencies(Need::Test).into_iter();
    // Tests may use what tests are made of, and play a crate against the simulator.
    let tests = tests.filter(|need| !allowed(need) && !FOR_TESTS.contains(need) && !for_tests_of(name, need));
    let told = |need: &str| format!("{name} must not depend on {need}");
    part.map(told).chain(tests.map(|need| format!("tests of {name} must not depend on {need}"))).collect()
}

/// Tests of actors and hosts may stand on real adapters, egress and simulator instead of fakes.
fn for_tests_of(name: &str, need: &str) -> bool {
    let real = ["hermes-egress", "hermes-simulator", "hermes-wasm-host", "hermes-backend-embedded"];
    name != "hermes-domain" && name != "hermes-ports" && real.contains(&need)
}

/// Says of each of our packages whether `name` may build on it; packages of others always may be.
fn allowed(name: &str) -> Option<impl Fn(&&str) -> bool> {
    let list = INWARDS.iter().find(|(known, _)| *known == name).map(|(_, list)| *list);
    let binary = name == BINARY;
    (binary || list.is_some()).then_some(move |need: &&str| {
        let ours = need.starts_with("hermes") || *need == "xtask";
        !ours || list.is_some_and(|list| list.contains(need)) || (binary && !FOR_TESTS.contains(need))
    })
}

fn theirs(krate: &Crate) -> Vec<String> {
    let mut problems = Vec::new();
    for need in krate.dependencies(Need::Build) {
        let reserved = RESERVED.iter().find(|(package, _)| *package == need);
        if reserved.is_some_and(|(_, users)| !users.contains(&krate.name.as_str())) {
            problems.push(format!("{need} is not for {}", krate.name));
        }
        if krate.name == "hermes-domain" && !PURE.contains(&need) {
            problems.push(format!("the domain is pure and must not depend on {need}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::crates::krate;

    fn problems(name: &str, dependencies: &str) -> Vec<String> {
        check(&[krate("crates/x", &format!("package.name = '{name}'\n{dependencies}"))])
    }

    #[test]
    fn edges_outwards_are_refused_and_those_inwards_are_not() {
        assert!(problems("hermes-ports", "dependencies.hermes-domain.workspace = true").is_empty());
        let outwards = problems("hermes-domain", "dependencies.hermes-ports.workspace = true");
        assert_eq!(outwards.first().unwrap(), "hermes-domain must not depend on hermes-ports");
        let sideways =
            problems("hermes-actor-cascade", "dependencies.hermes-actor-provider.workspace = true");
        assert_eq!(sideways, ["hermes-actor-cascade must not depend on hermes-actor-provider"]);
        let test_in_product = problems("hermes", "dependencies.hermes-testkit.workspace = true");
        assert_eq!(test_in_product, ["hermes must not depend on hermes-testkit"]);
        assert!(problems("hermes", "dev-dependencies.hermes-testkit.workspace = true").is_empty());
        assert_eq!(problems("hermes-new", "").len(), 1);
    }

    #[test]
    fn packages_of_others_stay_where_they_belong() {
        let web = problems("hermes-actor-cascade", "dependencies.axum.workspace = true");
        assert_eq!(web, ["axum is not for hermes-actor-cascade"]);
        let runtime = problems("hermes-domain", "dependencies.tokio.workspace = true");
        assert_eq!(runtime, ["the domain is pure and must not depend on tokio"]);
        assert!(problems("hermes-domain", "dev-dependencies.proptest.workspace = true").is_empty());
    }
}
