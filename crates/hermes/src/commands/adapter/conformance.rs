//! `hermes adapter test`: what a component says about itself, and whether it keeps to its contract.

use std::path::Path;

use anyhow::{Context as _, ensure};
use hermes_adapter_kit::{Report, load};
use hermes_ports::adapter::{AdapterHost as _, AdapterInfo, Descriptor};
use hermes_wasm_host::{HostOptions, WasmHost};

/// Loads a component as a server would, runs the cases of `fixtures` and every check against it, and prints a
/// report.
///
/// # Errors
/// When the component is refused, a fixture cannot be used, or a check fails.
pub(super) fn test(file: &Path, name: &str, component: &[u8], fixtures: Option<&Path>) -> anyhow::Result<()> {
    let cases = fixtures.map(load).transpose().context("the fixtures cannot be used")?.unwrap_or_default();
    let host = WasmHost::new(HostOptions::default())?;
    let info = host.install(name, component).with_context(|| format!("{} is refused", file.display()))?;
    host.activate(name, info.version)?;
    let descriptor = host.descriptor(name).context("it has gone")?;
    ensure!(!descriptor.channels.is_empty(), "it carries nothing"); // A host refuses such a component before.
    let mut report = loaded(&descriptor, &info);
    hermes_adapter_kit::run(&host, name, &cases, &mut report);
    print!("{report}");
    let failures = report.failures();
    ensure!(failures == 0, "{} does not conform to the contract of adapters", descriptor.name);
    Ok(())
}

/// What installing has already proved.
fn loaded(descriptor: &Descriptor, info: &AdapterInfo) -> Report {
    let channels: Vec<&str> = descriptor.channels.iter().map(|channel| channel.as_str()).collect();
    let mut lines = vec![
        format!("channels     {}", channels.join(", ")),
        format!("hosts        {}", descriptor.hosts.join(", ")),
    ];
    for (what, fields) in [("credential", &descriptor.credentials), ("setting", &descriptor.config)] {
        lines.extend(fields.iter().map(|field| {
            let needed = if field.required { "needed  " } else { "optional" };
            format!("{what:<12} {needed}  {}: {}", field.name, field.description)
        }));
    }
    let mut report = Report::default();
    let (name, semver, version, bytes) = (&descriptor.name, &descriptor.version, info.version, info.bytes);
    report.passed(format!("{name} {semver} as {version}, {bytes} bytes"), lines);
    for proved in [
        "imports nothing but the host; describes itself the same at every call",
        "withstands every status with empty, broken and foreign answers",
        "takes no webhook without a valid signature",
    ] {
        report.passed(proved, Vec::new());
    }
    report
}
