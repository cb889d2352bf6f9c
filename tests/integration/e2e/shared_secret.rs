//! One Secret, written by many: nobody overwrites what they have not read.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use cluster::secret::{Error, SecretFile};
use futures::StreamExt as _;

use super::{replica::Replica, rig};

/// An empty Secret, as the chart makes it, in a namespace of its own.
fn empty(replica: &Replica) -> (SecretFile, String) {
    let namespace = rig().namespace("secret");
    let _ = rig().kubectl(&["create", "secret", "generic", "shared", "--namespace", &namespace]).expect_ok();
    let file = replica.within(|| SecretFile::new(&replica.client, &namespace, "shared"));
    (file, namespace)
}

fn data(value: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([("a".to_owned(), value.as_bytes().to_vec())])
}

#[test]
fn of_many_writers_of_one_version_exactly_one_succeeds() {
    let replica = Replica::new(rig());
    let (file, _) = empty(&replica);
    replica.runtime().block_on(async {
        let mut version = file.read().await.unwrap().version;
        let said = SystemTime::from(file.date().expect("the API server says its time"));
        assert!(said.elapsed().is_ok_and(|since| since < Duration::from_secs(60)), "{said:?}");
        for round in 0..5 {
            let tries = (0..8).map(|writer| {
                let (file, version) = (file.clone(), version.clone());
                async move { file.replace(&version, &data(&format!("{round} {writer}"))).await }
            });
            let (done, refused): (Vec<_>, Vec<_>) =
                futures::future::join_all(tries).await.into_iter().partition(Result::is_ok);
            assert_eq!((done.len(), refused.len()), (1, 7));
            assert!(refused.iter().all(|error| matches!(error, Err(Error::Conflict { .. }))), "{refused:?}");
            let stored = file.read().await.unwrap();
            assert_eq!(&stored, done[0].as_ref().unwrap());
            version = stored.version;
        }
    });
}

#[test]
fn a_watch_tells_of_every_state_and_of_the_end() {
    let replica = Replica::new(rig());
    let (file, namespace) = empty(&replica);
    replica.runtime().block_on(async {
        let mut seen = Box::pin(file.watch());
        let first = seen.next().await.unwrap().unwrap();
        assert_eq!(first.data, BTreeMap::new());
        let written = file.replace(&first.version, &data("b")).await.unwrap();
        assert_eq!(seen.next().await.unwrap(), Some(written.clone()));
        // What is not named any more is gone.
        let next = BTreeMap::from([("c".to_owned(), vec![0, 255])]);
        file.replace(&written.version, &next).await.unwrap();
        assert_eq!(seen.next().await.unwrap().unwrap().data, next);
        let _ = rig().kubectl(&["delete", "secret", "shared", "--namespace", &namespace]).expect_ok();
        assert_eq!(seen.next().await.unwrap(), None);
        assert!(matches!(file.read().await, Err(Error::Missing { .. })));
    });
}
