//! The file with the webhook configurations as they should be, read again when it changes.

use std::{fs, path::Path};

use anyhow::Context as _;
use cluster::registration::Expected;
use tokio::sync::watch;

use crate::commands::serve::{file_watch::Watch, tasks::Tasks};

/// What the file says, now and later; one that is of no use changes nothing. Must be called within a runtime.
///
/// # Errors
/// When there is a file that cannot be used to begin with.
pub(super) fn watch(
    path: Option<&Path>,
    tasks: &mut Tasks,
) -> anyhow::Result<watch::Receiver<Option<Expected>>> {
    let Some(path) = path else { return Ok(watch::channel(None).1) };
    let seen = vec![fs::read(path).ok()];
    let (sender, receiver) = watch::channel(Some(read(path)?));
    let file = path.to_owned();
    let exchange = move || {
        sender.send_replace(Some(read(&file)?));
        Ok(())
    };
    let watch = Watch::new(vec![path.to_owned()], seen, exchange);
    tasks.spawn("reads what should be registered", watch.run());
    Ok(receiver)
}

fn read(path: &Path) -> anyhow::Result<Expected> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("{shown}: cannot be read"))?;
    Expected::parse(&text).with_context(|| format!("{shown} is of no use"))
}

#[cfg(test)]
mod tests {
    use cluster::registration::Configuration;

    use super::*;

    fn revision(expected: &watch::Receiver<Option<Expected>>) -> serde_json::Value {
        let expected = expected.borrow();
        expected.as_ref().unwrap().configuration(Configuration::Validating).unwrap()["revision"].clone()
    }

    #[tokio::test]
    async fn a_replica_never_heard_of_the_webhooks_of_the_next_release() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registration.yaml");
        let write = |text: &str| fs::write(&file, text).unwrap();
        let kind = "kind: ValidatingWebhookConfiguration\nrevision";
        assert!(
            watch(Some(&file), &mut Tasks::default()).unwrap_err().to_string().ends_with("cannot be read")
        );
        write("rubbish");
        assert!(watch(Some(&file), &mut Tasks::default()).unwrap_err().to_string().ends_with("is of no use"));
        write(&format!("{kind}: 1"));
        let mut expected = watch(Some(&file), &mut Tasks::default()).unwrap();
        assert_eq!(revision(&expected), 1);
        fs::remove_file(&file).unwrap();
        write("rubbish");
        write(&format!("{kind}: 2"));
        expected.changed().await.unwrap();
        assert_eq!(revision(&expected), 2);
    }
}
