//! The file with the webhook configurations as they should be, read again when it changes.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Context as _;
use cluster::registration::Expected;
use tokio::sync::watch;

use super::Args;

/// How often the file is looked at. A mounted ConfigMap changes by a renamed link, which watches of files miss.
const INTERVAL: Duration = Duration::from_secs(2);

/// What the file says, now and later; one that is of no use changes nothing. Must be called within a runtime.
///
/// # Errors
/// When there is a file that cannot be used to begin with.
pub(super) fn watch(args: &Args) -> anyhow::Result<watch::Receiver<Option<Expected>>> {
    let Some(path) = args.expected_registration.clone() else { return Ok(watch::channel(None).1) };
    let shown = path.display();
    let text = fs::read_to_string(&path).with_context(|| format!("{shown}: cannot be read"))?;
    let expected = Expected::parse(&text).with_context(|| format!("{shown} is of no use"))?;
    let (sender, receiver) = watch::channel(Some(expected));
    tokio::spawn(follow(path, text, sender));
    Ok(receiver)
}

/// Ends when nobody wants to know any more.
async fn follow(path: PathBuf, mut seen: String, expected: watch::Sender<Option<Expected>>) {
    loop {
        tokio::select! {
            () = expected.closed() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        let file = path.clone();
        // A file that is gone for a moment, or for good, says nothing new.
        let Ok(Ok(text)) = tokio::task::spawn_blocking(move || fs::read_to_string(file)).await else {
            continue;
        };
        if text == seen {
            continue;
        }
        match Expected::parse(&text) {
            Ok(next) => {
                tracing::info!("other webhooks are expected now");
                expected.send_replace(Some(next));
            }
            Err(problem) => {
                tracing::warn!(%problem, "the webhooks that are expected stay as they were");
            }
        }
        seen = text;
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use cluster::registration::Configuration;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[arg(long)]
        cert_dir: Option<PathBuf>,
        #[command(flatten)]
        args: Args,
    }

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
        let flags = ["hookward", "--webhook-configuration=hookward", "--expected-registration"];
        let flags = flags.into_iter().chain(file.to_str());
        let args = Program::try_parse_from(flags).unwrap().args;
        assert!(watch(&args).unwrap_err().to_string().ends_with("cannot be read"));
        write("rubbish");
        assert!(watch(&args).unwrap_err().to_string().ends_with("is of no use"));
        write(&format!("{kind}: 1"));
        let mut expected = watch(&args).unwrap();
        assert_eq!(revision(&expected), 1);
        fs::remove_file(&file).unwrap();
        write("rubbish");
        write(&format!("{kind}: 2"));
        expected.changed().await.unwrap();
        assert_eq!(revision(&expected), 2);
    }
}
