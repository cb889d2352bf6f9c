//! Small charts, made where a test needs one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A chart in a folder of its own, which goes with the value.
#[derive(Debug)]
pub struct Chart {
    folder: TempDir,
}

impl Chart {
    /// A chart called `shop` with these objects, one template each, in this order: `0.yaml`, `1.yaml` and so on.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    #[track_caller]
    pub fn new(objects: &[Value]) -> Self {
        let folder = tempfile::Builder::new().prefix("hookward-chart-").tempdir();
        let chart = Self { folder: folder.unwrap_or_else(|error| panic!("no folder for a chart: {error}")) };
        let metadata = json!({"apiVersion": "v2", "name": "shop", "version": "0.1.0"});
        let mut chart = chart.with("Chart.yaml", metadata.to_string().as_bytes());
        for (index, object) in objects.iter().enumerate() {
            chart = chart.with(&format!("templates/{index}.yaml"), object.to_string().as_bytes());
        }
        chart
    }

    /// Adds a file.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    #[track_caller]
    pub fn with(self, path: &str, content: &[u8]) -> Self {
        let path: PathBuf = self.folder.path().join(path);
        let written =
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A Job without a mistake that is a hook of these events: one container that ends well.
#[must_use]
pub fn hook_job(name: &str, events: &str) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": {"helm.sh/hook": events}},
        "spec": {"template": {
            "metadata": {"annotations": {}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "shop:1"}]},
        }},
    })
}

/// A Job as [`hook_job`], but suspended: Helm would wait for it in vain, and every profile but `audit` refuses it.
#[must_use]
pub fn suspended_job(name: &str, events: &str) -> Value {
    changed(hook_job(name, events), "/spec", "suspend", json!(true))
}

/// A Job as [`hook_job`], with this policy about its deletion.
#[must_use]
pub fn job_with_policy(name: &str, events: &str, policy: &str) -> Value {
    changed(hook_job(name, events), "/metadata/annotations", "helm.sh/hook-delete-policy", json!(policy))
}

/// The object with a pod that fails or hangs: see `hookward.dev/outcome`.
#[must_use]
pub fn ending(job: Value, outcome: &str) -> Value {
    changed(job, "/spec/template/metadata/annotations", "hookward.dev/outcome", json!(outcome))
}

/// A configuration map that is no hook, with one value.
#[must_use]
pub fn settings(value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"value": value}})
}

/// The object with one member more, or another one.
///
/// # Panics
/// When there is no object at `pointer`.
#[must_use]
#[track_caller]
pub fn changed(mut object: Value, pointer: &str, name: &str, value: Value) -> Value {
    let Some(Value::Object(members)) = object.pointer_mut(pointer) else {
        panic!("there is nothing at {pointer} to change");
    };
    members.insert(name.to_owned(), value);
    object
}

/// Bytes that no compression makes smaller, the same in each run.
#[must_use]
pub fn incompressible(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    words.flatten().take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_a_folder_with_its_templates() {
        let chart = Chart::new(&[hook_job("migrate", "pre-install"), settings("1")]).with("files/a", b"x");
        for path in ["Chart.yaml", "templates/0.yaml", "templates/1.yaml", "files/a"] {
            assert!(chart.path().join(path).is_file(), "{path}");
        }
    }

    #[test]
    fn incompressible_bytes_use_every_value() {
        let bytes = incompressible(10_000);
        assert_eq!(bytes.len(), 10_000);
        assert!((0..=255).all(|value| bytes.contains(&value)));
    }
}
