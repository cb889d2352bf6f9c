//! The bill of materials: every library that is linked into the program, as `CycloneDX` names them.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{Arch, build};
use crate::shell::{cargo, root};

/// One linked library.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Library {
    name: String,
    version: String,
    licence: String,
    needs: Vec<String>,
}

/// The document for the program of one kind of machine, made at `created` (RFC 3339).
///
/// # Errors
/// When cargo does not say what is linked.
pub(super) fn cyclonedx(arch: Arch, created: &str) -> Result<Vec<u8>> {
    let tree = tree(arch)?;
    let libraries = read(&tree)?;
    let checksums = checksums(&fs::read_to_string(root().join("Cargo.lock")).context("no Cargo.lock")?)?;
    let document = document(&libraries, &checksums, created);
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// What cargo links, one library on a line: depth, name and version, licence. What only builds it is not in it, nor are macros.
fn tree(arch: Arch) -> Result<String> {
    let output = cargo(&["tree", "--locked", "--package", "cli", "--edges", "normal,no-proc-macro"])
        .args(["--target", build::triple(arch), "--prefix", "depth", "--format", "\t{p}\t{l}"])
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("cargo tree wrote no text")
}

/// Libraries by `name@version`; the first is the program itself.
fn read(tree: &str) -> Result<BTreeMap<String, Library>> {
    let mut libraries = BTreeMap::<String, Library>::new();
    let mut above: Vec<String> = Vec::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.split('\t');
        let (Some(depth), Some(package), licence) = (parts.next(), parts.next(), parts.next()) else {
            bail!("cargo tree wrote {line:?}");
        };
        let depth: usize = depth.parse().with_context(|| format!("cargo tree wrote {line:?}"))?;
        let mut words = package.split(' ');
        let (Some(name), Some(version)) =
            (words.next(), words.next().and_then(|word| word.strip_prefix('v')))
        else {
            bail!("cargo tree wrote {line:?}");
        };
        let key = format!("{name}@{version}");
        above.truncate(depth);
        if let Some(needed_by) = above.last().and_then(|parent| libraries.get_mut(parent))
            && !needed_by.needs.contains(&key)
        {
            needed_by.needs.push(key.clone());
        }
        // Cargo marks with a star what it has already shown with all that is below.
        let licence = licence.unwrap_or_default().trim_end_matches("(*)").trim();
        libraries.entry(key.clone()).or_insert_with(|| Library {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.replace('/', " OR "),
            needs: Vec::new(),
        });
        above.push(key);
    }
    Ok(libraries)
}

/// SHA-256 of each package as the registry has it, by `name@version`.
fn checksums(lock: &str) -> Result<BTreeMap<String, String>> {
    let lock: toml::Table = lock.parse().context("Cargo.lock is no TOML")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let text = |package: &toml::Value, key: &str| package.get(key)?.as_str().map(str::to_owned);
    let sums = packages.iter().filter_map(|package| {
        Some((
            format!("{}@{}", text(package, "name")?, text(package, "version")?),
            text(package, "checksum")?,
        ))
    });
    Ok(sums.collect())
}

fn document(libraries: &BTreeMap<String, Library>, sums: &BTreeMap<String, String>, created: &str) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let program = format!("cli@{version}");
    // The package of the program is called `cli`; the world knows it by the name of the program.
    let reference = |key: &str| if key == program { format!("hookward@{version}") } else { key.to_owned() };
    let components: Vec<_> = libraries
        .iter()
        .filter(|(key, _)| **key != program)
        .map(|(key, library)| component(key, library, sums.get(key)))
        .collect();
    let dependencies: Vec<_> = libraries
        .iter()
        .map(|(key, library)| json!({"ref": reference(key), "dependsOn": library.needs}))
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": created,
            "component": {
                "type": "application", "bom-ref": reference(&program), "name": "hookward", "version": version,
                "licenses": [{"expression": env!("CARGO_PKG_LICENSE")}],
            },
        },
        "components": components,
        "dependencies": dependencies,
    })
}

/// A package with a checksum comes from the public registry; one without is ours and has no address there.
fn component(key: &str, library: &Library, sum: Option<&String>) -> Value {
    let Library { name, version, licence, .. } = library;
    let mut component =
        json!({"type": "library", "bom-ref": key, "name": name, "version": version, "scope": "required"});
    if !licence.is_empty() {
        component["licenses"] = json!([{"expression": licence}]);
    }
    if let Some(sum) = sum {
        component["purl"] = format!("pkg:cargo/{name}@{version}").into();
        component["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0\tcli v0.1.0 (/somewhere)\tApache-2.0\n1\ta v1.0.0\tMIT/Apache-2.0\n2\tb v2.0.0\tMIT\n1\tb v2.0.0\tMIT (*)\n";

    #[test]
    fn a_library_knows_what_it_needs_however_often_it_is_shown() {
        let libraries = read(TREE).unwrap();
        assert_eq!(libraries["cli@0.1.0"].needs, ["a@1.0.0", "b@2.0.0"]);
        assert_eq!(libraries["a@1.0.0"].needs, ["b@2.0.0"]);
        assert_eq!(libraries["a@1.0.0"].licence, "MIT OR Apache-2.0");
        assert_eq!(libraries["b@2.0.0"].licence, "MIT");
    }

    #[test]
    fn the_program_is_linked_with_its_server_but_not_with_what_only_builds_it() {
        let bytes = cyclonedx(Arch::Amd64, "1970-01-01T00:00:00Z").unwrap();
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        let components = document["components"].as_array().unwrap();
        let found = |name: &str| components.iter().find(|component| component["name"] == name);
        assert_eq!(found("rustls").unwrap()["hashes"][0]["content"].as_str().unwrap().len(), 64);
        assert!(found("webhook").unwrap().get("purl").is_none());
        assert!(found("cc").is_none() && found("serde_derive").is_none());
        assert!(!String::from_utf8(bytes).unwrap().contains(&root().display().to_string()));
    }

    #[test]
    fn every_reference_leads_to_a_component() {
        let document: Value =
            serde_json::from_slice(&cyclonedx(Arch::Amd64, "1970-01-01T00:00:00Z").unwrap()).unwrap();
        let known: Vec<_> = document["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|component| &component["bom-ref"])
            .collect();
        for entry in document["dependencies"].as_array().unwrap() {
            let is_program = entry["ref"] == document["metadata"]["component"]["bom-ref"];
            assert!(is_program || known.contains(&&entry["ref"]), "{}", entry["ref"]);
            for needed in entry["dependsOn"].as_array().unwrap() {
                assert!(known.contains(&needed), "{needed}");
            }
        }
    }
}
