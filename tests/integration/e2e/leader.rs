//! Who leads, by a real Lease.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use cluster::{Leader, leader::Options};
use serde_json::Value;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{SOON, replica::Replica, rig};

fn options(namespace: &str, identity: &str) -> Options {
    Options {
        duration: Duration::from_secs(4),
        grace: Duration::from_secs(2),
        ..Options::new(namespace, "hookward", identity)
    }
}

fn start(replica: &Replica, namespace: &str, identity: &str) -> Leader {
    replica.within(|| Leader::start(&replica.client, options(namespace, identity), &replica.metrics))
}

fn lease(namespace: &str) -> Value {
    rig().get_json("lease", namespace, "hookward").unwrap_or_default()
}

/// Looks all the time whether two replicas count as leader at once.
struct Witness {
    overlaps: Arc<AtomicU32>,
    is_over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Witness {
    fn of(seats: Vec<watch::Receiver<bool>>) -> Self {
        let (overlaps, is_over) = (Arc::<AtomicU32>::default(), Arc::<AtomicBool>::default());
        let (count, end) = (Arc::clone(&overlaps), Arc::clone(&is_over));
        let look = move || {
            while !end.load(Ordering::Relaxed) {
                for (index, first) in seats.iter().enumerate() {
                    for second in &seats[index + 1..] {
                        // The first is asked again: it may have ended before the second began.
                        if *first.borrow() && *second.borrow() && *first.borrow() {
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                thread::yield_now();
            }
        };
        Self { overlaps, is_over, thread: Some(thread::spawn(look)) }
    }

    #[track_caller]
    fn saw_no_two_leaders(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        assert_eq!(self.overlaps.load(Ordering::Relaxed), 0, "two replicas led at once");
    }
}

#[test]
fn one_leads_at_any_moment_and_another_follows() {
    let namespace = rig().namespace("leader");
    let replica = Replica::new(rig());
    let names = ["a", "b", "c"];
    let mut leaders = names.map(|name| Some(start(&replica, &namespace, name)));
    let seats = leaders.each_ref().map(|leader| leader.as_ref().unwrap().is_leader());
    let witness = Witness::of(seats.to_vec());
    let leading = || seats.iter().position(|seat| *seat.borrow());
    for round in 0..2 {
        let first = rig().wait_for("a leader", SOON, leading);
        assert_eq!(lease(&namespace)["spec"]["holderIdentity"], names[first]);
        let leader = leaders[first].take().unwrap();
        if round == 0 {
            replica.runtime().block_on(leader.resign());
        } else {
            // As a process that was killed: the Lease is left to expire.
            drop(leader);
        }
        assert!(!*seats[first].borrow());
        rig().wait_for("another leader", SOON, || leading().filter(|seat| *seat != first));
    }
    witness.saw_no_two_leaders();
    let transitions = lease(&namespace)["spec"]["leaseTransitions"].as_i64().unwrap();
    assert!(transitions >= 3, "{transitions} transitions");
}

#[test]
fn who_resigns_leaves_a_free_lease() {
    let namespace = rig().namespace("leader");
    let replica = Replica::new(rig());
    let leader = start(&replica, &namespace, "a");
    rig().wait_for("a leader", SOON, || leader.is_leader().borrow().then_some(()));
    assert!(replica.shows("hookward_leader 1"));
    replica.runtime().block_on(leader.resign());
    assert_eq!(lease(&namespace)["spec"]["holderIdentity"], Value::Null);
    assert!(replica.shows("hookward_leader 0"));
}

#[test]
fn who_is_asked_to_leave_resigns_at_once() {
    let namespace = rig().namespace("leader");
    let replica = Replica::new(rig());
    let (first, second) = (start(&replica, &namespace, "a"), start(&replica, &namespace, "b"));
    let leading = |leader: &Leader| leader.is_leader().borrow().then_some(());
    rig().wait_for("a leader", SOON, || leading(&first).or(leading(&second)));
    let (leader, other) = if leading(&first).is_some() { (&first, &second) } else { (&second, &first) };
    replica.within(|| leader.resign_at(std::future::ready(())));
    rig().wait_for("another leader", SOON, || leading(other));
    assert_eq!(leading(leader), None);
}

#[test]
fn a_lease_that_somebody_takes_is_let_go() {
    let namespace = rig().namespace("leader");
    let replica = Replica::new(rig());
    let leader = start(&replica, &namespace, "a");
    rig().wait_for("a leader", SOON, || leader.is_leader().borrow().then_some(()));
    let theft = r#"{"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 3600, "renewTime": "2099-01-01T00:00:00.000000Z"}}"#;
    let _ = rig()
        .kubectl(&["patch", "lease", "hookward", "--namespace", &namespace, "--type=merge", "--patch", theft])
        .expect_ok();
    rig().wait_for("the leader to hear of it", SOON, || (!*leader.is_leader().borrow()).then_some(()));
}

#[test]
fn a_leader_that_is_cut_off_stops_before_another_begins() {
    let namespace = rig().namespace("leader");
    let near = Replica::new(rig());
    let wire = Wire::start(&near);
    let far = Replica::by(&wire.kubeconfig());
    let first = start(&far, &namespace, "far");
    rig().wait_for("the first leader", SOON, || first.is_leader().borrow().then_some(()));
    let second = start(&near, &namespace, "near");
    let witness = Witness::of(vec![first.is_leader(), second.is_leader()]);
    wire.cut.send_replace(true);
    rig().wait_for("the second leader", SOON, || second.is_leader().borrow().then_some(()));
    assert!(!*first.is_leader().borrow());
    wire.cut.send_replace(false);
    witness.saw_no_two_leaders();
}

/// A way to the API server that can be cut without either end hearing of it.
struct Wire {
    port: u16,
    cut: watch::Sender<bool>,
}

impl Wire {
    fn start(replica: &Replica) -> Self {
        let listener = replica.runtime().block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, state) = watch::channel(false);
        let target = api_server();
        replica.runtime().spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target.clone(), state.clone()));
            }
        });
        Self { port, cut }
    }

    fn kubeconfig(&self) -> std::path::PathBuf {
        let text = fs::read_to_string(rig().kubeconfig()).unwrap();
        let path = rig().folder().join(format!("kubeconfig-{}", self.port));
        fs::write(&path, text.replace(&api_server(), &format!("127.0.0.1:{}", self.port))).unwrap();
        path
    }
}

/// Host and port.
fn api_server() -> String {
    let text = fs::read_to_string(rig().kubeconfig()).unwrap();
    let (_, rest) = text.split_once("https://").unwrap();
    rest.split(|one: char| !(one.is_ascii_digit() || one == '.' || one == ':')).next().unwrap().to_owned()
}

/// Carries what is said until the wire is cut, and holds the connection then.
async fn carry(mut near: TcpStream, target: String, mut cut: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    loop {
        let _ = cut.wait_for(|is_cut| !is_cut).await;
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = cut.wait_for(|is_cut| *is_cut) => {}
        }
    }
}
