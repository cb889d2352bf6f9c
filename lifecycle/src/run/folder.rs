//! Manifests that are rendered already, as a chart that Helm can install.

use std::{fs, io, path::Path};

use tempfile::TempDir;

/// A chart of these manifests; it goes with the value. `name` is that of the file they came from.
///
/// # Errors
/// When it cannot be written.
pub fn folder_of(manifests: &str, name: &str) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("hookward-rollout-").tempdir()?;
    let stem =
        Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let stem: String = stem.chars().map(|letter| if plain(letter) { letter } else { '-' }).collect();
    let stem = if stem.is_empty() { "manifests".to_owned() } else { stem };
    let chart = format!("{{\"apiVersion\": \"v2\", \"name\": \"{stem}\", \"version\": \"0.1.0\"}}");
    fs::write(folder.path().join("Chart.yaml"), chart)?;
    // Helm writes these comments itself, and the old ones name templates that are not there.
    let lines = manifests.lines().filter(|line| !line.starts_with("# Source: "));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    fs::write(folder.path().join("manifests.yaml"), text)?;
    fs::create_dir(folder.path().join("templates"))?;
    let template = folder.path().join("templates").join(format!("{stem}.yaml"));
    fs::write(template, "{{ .Files.Get \"manifests.yaml\" }}\n")?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_template_stays_as_it_is() {
        let folder = folder_of("# Source: a/b.yaml\nx: '{{ y }}'\n", "shop 2.5.yaml").unwrap();
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
        assert_eq!(read("manifests.yaml"), "x: '{{ y }}'\n");
        assert!(
            read("Chart.yaml").contains("\"shop-2-5\"") && read("templates/shop-2-5.yaml").contains("Files")
        );
    }
}
