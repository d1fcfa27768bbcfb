//! `build-adapters` and `check-adapters`: the committed components and the record of their sources.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    component_build::{self, Component, Toolchain},
    root,
};

/// Everything that is built from `adapters/`; the last two exist for tests of the host.
const COMPONENTS: [Component; 9] = [
    Component { name: "twilio", folder: "twilio", feature: None, output: "adapters/dist/twilio.wasm" },
    Component { name: "vonage", folder: "vonage", feature: None, output: "adapters/dist/vonage.wasm" },
    Component { name: "messente", folder: "messente", feature: None, output: "adapters/dist/messente.wasm" },
    Component { name: "ses", folder: "ses", feature: None, output: "adapters/dist/ses.wasm" },
    Component { name: "fcm", folder: "fcm", feature: None, output: "adapters/dist/fcm.wasm" },
    Component { name: "whatsapp", folder: "whatsapp", feature: None, output: "adapters/dist/whatsapp.wasm" },
    Component {
        name: "twilio-next",
        folder: "twilio",
        feature: Some("next"),
        output: "crates/wasm-host/tests/hostile/twilio_next.wasm",
    },
    Component {
        name: "acme",
        folder: "template",
        feature: None,
        output: "crates/wasm-host/tests/template/acme.wasm",
    },
    Component {
        name: "hostile",
        folder: "hostile",
        feature: None,
        output: "crates/wasm-host/tests/hostile/hostile.wasm",
    },
];

/// What `adapters/dist/manifest.json` holds.
#[derive(Serialize, Deserialize)]
struct Manifest {
    /// The compiler that built the components; only the same one gives the same bytes.
    toolchain: String,
    /// By name of the component.
    components: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Entry {
    /// Hash of the file.
    component_sha256: String,
    /// Hash over the adapter, the SDK, the contract and the lock file.
    source_sha256: String,
    /// Size of the file.
    bytes: usize,
}

/// Builds every component and records what it was built from.
pub(crate) fn build(args: &[&str]) -> Result<()> {
    let std_script = match args {
        [] => std::env::var("HERMES_WASM_STD_SCRIPT").ok(),
        ["--std-script", path] => Some((*path).to_owned()),
        _ => bail!("usage: cargo xtask build-adapters [--std-script PATH]"),
    };
    let root = root()?;
    if let Some(script) = std_script {
        component_build::run_std_script(&script)?;
    }
    let toolchain = Toolchain::find()?;
    println!("building with {}", toolchain.version);
    let mut components = BTreeMap::new();
    for component in COMPONENTS {
        let bytes = component_build::build(&root, &toolchain, component)?;
        let path = root.join(component.output);
        fs::create_dir_all(path.parent().context("an output has a folder")?)?;
        fs::write(&path, &bytes).with_context(|| format!("could not write {}", component.output))?;
        println!("{:>12} {:>7} bytes", component.name, bytes.len());
        components.insert(component.name.to_owned(), entry(&root, component, &bytes)?);
    }
    let manifest = Manifest { toolchain: toolchain.version, components };
    fs::write(manifest_path(&root), serde_json::to_string_pretty(&manifest)? + "\n")?;
    Ok(())
}

/// Fails when a component is not what its sources give. Where the recorded compiler is at hand, the
/// components are built again and compared byte by byte.
pub(crate) fn check() -> Result<()> {
    let root = root()?;
    let text =
        fs::read_to_string(manifest_path(&root)).context("could not read adapters/dist/manifest.json")?;
    let manifest: Manifest = serde_json::from_str(&text)?;
    for component in COMPONENTS {
        let bytes = fs::read(root.join(component.output))
            .with_context(|| format!("{} is missing", component.output))?;
        let recorded = manifest.components.get(component.name);
        let now = entry(&root, component, &bytes)?;
        ensure!(
            recorded == Some(&now),
            "{} is stale: run `cargo xtask build-adapters` and commit the result\nrecorded {recorded:?}\nnow      {now:?}",
            component.output
        );
    }
    println!("components match their sources");
    match Toolchain::find() {
        Ok(toolchain) if toolchain.version == manifest.toolchain => compare_bytes(&root, &toolchain),
        Ok(toolchain) => {
            println!("not rebuilt: recorded {}, found {}", manifest.toolchain, toolchain.version);
            Ok(())
        }
        Err(error) => {
            println!("not rebuilt: {error}");
            Ok(())
        }
    }
}

fn compare_bytes(root: &Path, toolchain: &Toolchain) -> Result<()> {
    for component in COMPONENTS {
        let built = component_build::build(root, toolchain, component)?;
        let committed = fs::read(root.join(component.output))?;
        ensure!(built == committed, "{} differs from what its sources build", component.output);
    }
    println!("rebuilt components are equal, byte by byte");
    Ok(())
}

fn entry(root: &Path, component: Component, bytes: &[u8]) -> Result<Entry> {
    Ok(Entry {
        component_sha256: hex::encode(Sha256::digest(bytes)),
        source_sha256: source_hash(root, component)?,
        bytes: bytes.len(),
    })
}

/// A table of the host that the SDK holds, too.
const KEYWORDS: &str = "crates/domain/src/suppression/keywords.rs";

/// Recorded exchanges below an adapter's folder: nothing is built from them.
const FIXTURES: &str = "fixtures";

/// Hash over names and contents of all files that a component is built from, in the order of their names.
fn source_hash(root: &Path, component: Component) -> Result<String> {
    let mut files = vec![PathBuf::from("adapters/Cargo.toml"), PathBuf::from("adapters/Cargo.lock")];
    files.push(PathBuf::from(KEYWORDS));
    for folder in
        ["schema/wit".to_owned(), "adapters/sdk".to_owned(), format!("adapters/{}", component.folder)]
    {
        collect(root, Path::new(&folder), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    hash.update(component.feature.unwrap_or_default());
    for file in files {
        let content =
            fs::read(root.join(&file)).with_context(|| format!("could not read {}", file.display()))?;
        hash.update(format!("\0{}\0{}\0", file.display(), content.len()));
        hash.update(content);
    }
    Ok(hex::encode(hash.finalize()))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(root.join(folder)).with_context(|| format!("could not list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_name() == FIXTURES {
            continue;
        }
        if entry.file_type()?.is_dir() { collect(root, &path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn manifest_path(root: &Path) -> PathBuf {
    root.join("adapters/dist/manifest.json")
}
