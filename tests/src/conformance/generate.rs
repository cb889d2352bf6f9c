//! Which scenario belongs to a seed.

mod hook;
mod objects;

use std::time::Duration;

use lifecycle::{
    answer::Action,
    command::{Flags, Wait},
};
use serde_json::{Value, json};

pub(super) use self::objects::{HELD, never_ends};
use self::{hook::Hook, objects::Objects};
use super::{
    random::Random,
    scenario::{Move, Scenario, Template, Version, is_hook, items},
};
use crate::rig::Helm;

/// More than anything takes on a busy machine, where nothing lasts longer than Helm waits.
const PATIENT: Duration = Duration::from_secs(60);
/// Where something does: each time costs as much.
const HASTY: Duration = Duration::from_secs(8);
/// The deletion of a namespace takes more than five seconds.
const WITH_NAMESPACES: Duration = Duration::from_secs(14);

/// Names of hooks; few, so that hooks meet.
const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Files of templates; several documents may stand in one.
const PATHS: [&str; 6] = ["a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml", "Z.yaml"];

/// The scenario of a seed; both Helms get the same charts, and the same commands but for flags that only one has.
pub(super) fn scenario(seed: u64, helm: Helm, namespace: &str) -> Scenario {
    let mut random = Random::new(seed);
    let mut objects = Objects::new(namespace);
    let first = first(&mut random, &mut objects);
    let second = second(&mut random, &mut objects, &first);
    let mut versions = [first, second];
    unname(&mut Random::new(seed.rotate_left(8)), &mut versions);
    let timeout = timeout(&versions);
    let mut moves = vec![];
    for place in 0..2 + random.below(5) {
        let action = if place == 0 { opening(&mut random) } else { following(&mut random) };
        let version = if moves.is_empty() { 0 } else { random.pick(&[0, 1, 1]) };
        let flags = flags(&mut random, action, helm, moves.is_empty());
        moves.push(Move { action, version, flags: Flags { timeout, ..flags } });
    }
    Scenario { namespace: namespace.to_owned(), versions, moves }
}

fn first(random: &mut Random, objects: &mut Objects) -> Version {
    let mut version = Version::default();
    if random.percent(6) {
        let document = objects.bring();
        version.0.push(Template { path: "../crds/widgets.yaml".to_owned(), document });
    }
    for _ in 0..=random.below(5) {
        let document = hook(random, objects);
        version.add(random, document);
    }
    for _ in 0..random.weighted(&[(3, 0), (5, 1), (3, 2)]) {
        let document = objects.resource(random);
        version.add(random, document);
    }
    version.unique();
    version
}

/// Another version of the same chart: most of it stays, some of it changes.
fn second(random: &mut Random, objects: &mut Objects, first: &Version) -> Version {
    let mut version = Version::default();
    for Template { path, document } in &first.0 {
        let mut document = document.clone();
        if document["kind"] == "CustomResourceDefinition" && !is_hook(&document) {
            version.0.push(Template { path: path.clone(), document });
            continue;
        }
        match random.weighted(&[(50, 0), (35, 1), (12, 2), (3, 3)]) {
            1 => change(random, objects, &mut document),
            2 => continue,
            3 => turn(random, objects, &mut document),
            _ => {}
        }
        version.0.push(Template { path: path.clone(), document });
    }
    for _ in 0..random.weighted(&[(5, 0), (4, 1), (1, 2)]) {
        let document = if random.percent(70) { hook(random, objects) } else { objects.resource(random) };
        version.add(random, document);
    }
    if !version.documents().any(is_hook) {
        let document = hook(random, objects);
        version.add(random, document);
    }
    version.unique();
    version
}

fn hook(random: &mut Random, objects: &mut Objects) -> Value {
    let name = random.pick(&NAMES);
    let mut document = objects.of_hook(random, name);
    Hook::random(random, &document, objects.brings).annotate(&mut document);
    document
}

/// Says something else about a hook, or in the object itself.
fn change(random: &mut Random, objects: &Objects, document: &mut Value) {
    if is_hook(document) && random.percent(60) {
        Hook::random(random, document, objects.brings).annotate(document);
    } else {
        objects::change(random, document);
    }
}

/// A hook becomes an ordinary resource, or the other way round.
fn turn(random: &mut Random, objects: &Objects, document: &mut Value) {
    let is_simple =
        ["ConfigMap", "Secret", "ServiceAccount", "Job"].iter().any(|kind| document["kind"] == *kind);
    if !is_simple {
        return;
    }
    if is_hook(document) {
        document["metadata"]["annotations"] = json!({});
    } else {
        Hook::random(random, document, objects.brings).annotate(document);
    }
}

/// Seldom an ordinary resource has no name, one to be made up, or both. That is drawn apart, so that all else of a seed stays.
fn unname(random: &mut Random, versions: &mut [Version]) {
    if !random.percent(6) {
        return;
    }
    let (is_named, is_generated) =
        random.weighted(&[(5, (false, true)), (2, (false, false)), (3, (true, true))]);
    for version in &mut versions[random.pick(&[0, 0, 1])..] {
        let is_plain = |object: &Value| {
            !is_hook(object) && (object["kind"] == "ConfigMap" || object["kind"] == "Secret")
        };
        let Some(template) = version.0.iter_mut().find(|template| is_plain(&template.document)) else {
            continue;
        };
        let Some(metadata) = template.document["metadata"].as_object_mut() else { continue };
        if !is_named {
            metadata.remove("name");
        }
        if is_generated {
            metadata.insert("generateName".to_owned(), json!("gen-"));
        }
    }
}

impl Version {
    fn add(&mut self, random: &mut Random, document: Value) {
        self.0.push(Template { path: random.pick(&PATHS).to_owned(), document });
    }

    /// Helm takes two ordinary resources of one name for one, sometimes: that is not what is asked here.
    fn unique(&mut self) {
        let mut seen: Vec<(Value, Value)> = Vec::new();
        self.0.retain(|template| {
            let document = &template.document;
            let key = (document["kind"].clone(), document["metadata"]["name"].clone());
            let is_first = is_hook(document) || !seen.contains(&key);
            if !is_hook(document) {
                seen.push(key);
            }
            is_first
        });
    }
}

/// How long Helm waits for each thing.
fn timeout(versions: &[Version; 2]) -> Duration {
    let documents = || versions.iter().flat_map(Version::documents);
    let may_hang = |document: &Value| {
        let is_hook = is_hook(document);
        items(document).into_iter().any(|item| objects::may_hang(item, is_hook))
    };
    if documents().any(|object| object["kind"] == "Namespace") {
        WITH_NAMESPACES
    } else if documents().any(may_hang) {
        HASTY
    } else {
        PATIENT
    }
}

fn opening(random: &mut Random) -> Action {
    random.weighted(&[
        (90, Action::Install),
        (6, Action::Upgrade),
        (1, Action::Rollback),
        (1, Action::Uninstall),
        (1, Action::Test),
    ])
}

fn following(random: &mut Random) -> Action {
    random.weighted(&[
        (45, Action::Upgrade),
        (15, Action::Rollback),
        (17, Action::Test),
        (14, Action::Uninstall),
        (9, Action::Install),
    ])
}

fn flags(random: &mut Random, action: Action, helm: Helm, opens: bool) -> Flags {
    let mut flags = Flags { no_hooks: random.percent(7), ..Flags::default() };
    let waits = random.weighted(&[(60, Wait::HookOnly), (33, Wait::Watcher), (7, Wait::Legacy)]);
    let (jobs, undoes, cleans, keeps) =
        (random.percent(40), random.percent(22), random.percent(15), random.percent(30));
    let server_side = random.weighted(&[(80, None), (12, Some(false)), (8, Some(true))]);
    if action != Action::Test {
        flags.wait = if waits == Wait::Legacy && helm == Helm::V3 { Wait::Watcher } else { waits };
    }
    if matches!(action, Action::Install | Action::Upgrade | Action::Rollback) {
        flags.wait_for_jobs = jobs && flags.wait != Wait::HookOnly;
        // An install knows «auto» no more than a rollback knows nothing.
        flags.server_side = server_side.filter(|_| helm == Helm::V4);
    }
    match action {
        Action::Install => flags.rollback_on_failure = undoes,
        Action::Upgrade => {
            flags.rollback_on_failure = undoes;
            flags.cleanup_on_fail = cleans;
            flags.install = opens || random.percent(30);
        }
        Action::Rollback => {
            flags.cleanup_on_fail = cleans;
            flags.to = random.weighted(&[(5, None), (5, Some(1)), (2, Some(2)), (1, Some(3)), (1, Some(0))]);
        }
        Action::Uninstall => flags.keep_history = keeps,
        Action::Test => {
            flags.no_hooks = false;
            flags.logs = random.percent(15);
            let name = random.pick(&NAMES);
            match random.below(10) {
                0 => flags.filters = vec![format!("name={name}")],
                1 => flags.filters = vec![format!("!name={name}")],
                2 => flags.filters = vec![format!("name={name},name={}", random.pick(&NAMES))],
                _ => {}
            }
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use lifecycle::Chart;

    use super::*;

    #[test]
    fn every_scenario_can_be_read_and_both_helms_get_the_same_charts() {
        for seed in 0..500 {
            let [three, four] = Helm::ALL.map(|helm| scenario(seed, helm, "here"));
            for (three, four) in three.versions.iter().zip(&four.versions) {
                assert_eq!(three.rendered(), four.rendered(), "seed {seed}");
                Chart::read(&three.rendered(), "here").unwrap();
            }
            assert!((2..=6).contains(&three.moves.len()));
        }
    }

    #[test]
    fn a_hundred_scenarios_have_every_kind_and_every_event() {
        let text: String = (0..100)
            .map(|seed| scenario(seed, Helm::V4, "here").versions.map(|version| version.rendered()).concat())
            .collect();
        let kinds =
            ["Job", "Pod", "ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "Namespace"];
        for kind in kinds.into_iter().chain(["CustomResourceDefinition", "Widget", "List", "Deployment"]) {
            assert!(text.contains(&format!(r#""kind":"{kind}""#)), "{kind}");
        }
        for event in hooks::Event::ALL {
            assert!(text.contains(event.name()), "{event}");
        }
    }
}
