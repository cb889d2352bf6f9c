//! What a browser shows.

use lifecycle::{
    answer::Action::{self, Install, Upgrade},
    command::Flags,
    scenario::Expect,
};

use super::*;
use crate::{
    output::lifecycle::story::tests::{SHOP, denied, lost, played, played_chart},
    report::Problem,
};

fn shown(scenarios: Vec<Rehearsed>, kind: Kind) -> String {
    let problems = vec![Problem::new("<i>", "\u{1b}")];
    let mut out = Vec::new();
    write(&Rehearsal { scenarios, problems, ..Rehearsal::default() }, kind, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn failed(helm: &str) -> Rehearsed {
    let mut scenario = played(helm, &[Install, Upgrade], &[("Job/migrate", "fail")], &Flags::default());
    let expect = Expect { exit: Some(0), ..Expect::default() };
    scenario.expectations = expect.judge(1, &scenario.answer.actions[1]);
    scenario.passed = false;
    scenario
}

/// Elements are closed in the order in which they were opened.
fn assert_closed(page: &str) {
    const VOID: [&str; 3] = ["meta", "br", "!doctype"];
    let style = page.find("<style>").unwrap()..page.find("</style>").unwrap();
    let page = [&page[..style.start], "<style>", &page[style.end..]].concat();
    let mut open = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, after) = part.split_once('>').unwrap();
        assert!(!after.contains('>') && tag.matches('"').count() % 2 == 0, "{part}");
        let name = tag.split([' ', '\n']).next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "at {part}"),
            None if tag.ends_with('/') || VOID.contains(&name) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_page_stands_for_itself() {
    for kind in [Kind::Plan(None), Kind::Rollout] {
        let page = shown(vec![failed("4"), failed("3")], kind);
        assert_closed(&page);
        for outside in ["<script", "http://", "https://", "url(", "@import", " src=", "<link", " onclick"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'") && page.contains("prefers-color-scheme: dark"));
        assert!(page.contains("@media print"));
    }
}

#[test]
fn each_hook_has_a_bar_and_each_event_a_band() {
    let page = shown(vec![failed("4")], Kind::Plan(None));
    for band in ["pre-install", "resources", "pre-upgrade", "not run"] {
        assert!(page.contains(&format!("class=\"event\">{band}</text>")), "{band}");
    }
    for class in ["bar fine", "bar instant", "bar resources", "bar bad", "bar never", "life stays", "stop"] {
        assert!(page.contains(&format!("class=\"{class}\"")), "{class}");
    }
    assert!(page.contains("<title>delete the old one, apply, wait · failed after 33s"), "{page}");
}

#[test]
fn a_wait_without_end_a_stale_end_and_a_deletion_look_different() {
    let drawing = |helm: &str, chart: &str, fails: &[(&str, &str)]| {
        let scenario = played_chart(chart, helm, &[Install, Upgrade], fails, &Flags::default());
        drawing::draw(&Story::all(&scenario).last().unwrap())
    };
    assert!(drawing("4", SHOP, &[("Job/migrate", "hang")]).contains("bar bad open"));
    assert!(drawing("4", SHOP, &[]).contains("class=\"life\""));
    let kept = SHOP.replace(
        "helm.sh/hook: \"post-upgrade\"",
        "helm.sh/hook: \"post-install,post-upgrade\", helm.sh/hook-delete-policy: hook-failed",
    );
    assert!(drawing("4", &kept, &[]).contains("bar stale"));
}

#[test]
fn where_helm_rolls_back_a_line_is_drawn() {
    let flags = Flags { rollback_on_failure: true, ..Flags::default() };
    let scenario = played("4", &[Install, Upgrade], &[("Job/migrate", "fail")], &flags);
    let page = shown(vec![scenario], Kind::Plan(None));
    assert!(page.contains("class=\"turn\">Helm rolls back to revision 1</text>"));
}

#[test]
fn what_is_not_as_expected_is_said() {
    let page = shown(vec![failed("4")], Kind::Rollout);
    assert!(page.contains("<td class=\"bad\">✗ it is 1</td>"), "{page}");
    assert!(page.contains("<span class=\"badge failed\">failed</span>"));
}

#[test]
fn everything_stays_on_the_canvas() {
    let name = "n".repeat(200);
    let chart =
        SHOP.replace("name: warm-cache", &format!("name: {name}")).replace("\"5\"", "\"-2147483648\"");
    for helm in ["3", "4", "argocd", "flux"] {
        for outcome in ["ok", "hang", "fail", "1h"] {
            let actions = [Install, Upgrade, Action::Rollback];
            let scenario = played_chart(&chart, helm, &actions, &[("Job/drain", outcome)], &Flags::default());
            for story in Story::all(&scenario) {
                let drawing = drawing::draw(&story);
                for attribute in [" x=\"", " x1=\"", " x2=\""] {
                    for part in drawing.split(attribute).skip(1) {
                        let x: f64 = part.split('"').next().unwrap().parse().unwrap();
                        assert!((0.0..=1000.0).contains(&x), "{helm} {outcome}: {x}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_name_of_wide_letters_does_not_run_into_its_weight() {
    for (name, shown) in [("K", "KKKKKK"), ("m", "mmmm"), ("i", "iiiiiiiiiiii")] {
        let chart = SHOP
            .replace("name: warm-cache", &format!("name: {}", name.repeat(200)))
            .replace("\"5\"", "\"-2147483648\"");
        let scenario = played_chart(&chart, "4", &[Install, Upgrade], &[], &Flags::default());
        let drawing = drawing::draw(&Story::all(&scenario).last().unwrap());
        let of_name = drawing.split("</title>Job/").find(|text| text.starts_with(shown)).unwrap();
        let of_name = of_name.split('<').next().unwrap();
        assert!(of_name.ends_with(shown), "{of_name}");
        let kept = of_name.chars().count();
        let most = if name == "i" { 60 } else { 22 };
        assert!(kept < most, "{name}: {kept}");
    }
}

#[test]
fn names_that_differ_in_their_last_letters_looked_alike() {
    let names = ["create", "patch"].map(|end| format!("kube-prometheus-stack-admission-webhook-{end}"));
    let chart = SHOP
        .replace("name: warm-cache", &format!("name: {}", names[0]))
        .replace("name: notify", &format!("name: {}", names[1]));
    let scenario = played_chart(&chart, "4", &[Install, Upgrade], &[], &Flags::default());
    let drawing = drawing::draw(&Story::all(&scenario).last().unwrap());
    for (name, end) in names.iter().zip(["-create</text>", "-patch</text>"]) {
        let shown = drawing.split(&format!("<title>Job/{name}</title>Job/kube")).nth(1).unwrap();
        let shown = &shown[..=shown.find("</text>").unwrap() + 6];
        assert!(shown.contains('…') && shown.ends_with(end), "{shown}");
    }
}

#[test]
fn a_drawing_that_is_wider_than_the_screen_says_so_and_can_be_moved() {
    let page = shown(vec![failed("4")], Kind::Plan(None));
    assert!(page.contains("<div class=\"scroll drawing\" tabindex=\"0\">"), "{page}");
    assert!(page.contains(".drawing::before { content: \"to the side there is more →\""), "{page}");
}

#[test]
fn nothing_from_a_chart_is_markup() {
    let chart = SHOP.replace("name: migrate\n", "name: \"</text><script>x</script>\\\" onload='\\e\"\n");
    let mut scenario = played_chart(&chart, "4", &[Install], &[], &Flags::default());
    (scenario.name, scenario.file) = ("<b>".to_owned(), "</p>".to_owned());
    (scenario.answer.release, scenario.answer.namespace) = ("<u>".to_owned(), "\"<s>".to_owned());
    for kind in [Kind::Plan(None), Kind::Rollout] {
        let page = shown(vec![scenario], kind);
        assert_closed(&page);
        for markup in ["<script", "<b>", "<u>", "<s>", "<i>", "\u{1b}", "\" onload"] {
            assert!(!page.contains(markup), "{markup}");
        }
        scenario = played_chart(&chart, "4", &[Install], &[], &Flags::default());
    }
}

#[test]
fn what_is_being_deleted_looked_as_if_it_stayed() {
    let scenario = played_chart(&lost::namespace(), "4", &[Install, Upgrade], &[], &Flags::default());
    let page = shown(vec![scenario], Kind::Plan(None));
    assert!(page.contains("class=\"left\">left behind</text>"), "{page}");
    assert!(page.contains("class=\"left said bad\">being deleted</text>"), "{page}");
    let said = "<dt>lost</dt><dd><strong><span class=\"bad\">✗ Namespace/team is being deleted";
    assert!(page.contains(said), "{page}");
    assert_closed(&page);
}

#[test]
fn what_a_rule_denies_was_a_green_card() {
    let page = shown(vec![denied()], Kind::Plan(None));
    let said = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words} in {page}"));
    let top =
        "<p class=\"stops\"><strong>✗ 2 rules deny</strong>: <code>job-x</code>, <code>job-y</code></p>";
    assert!(said(top) < said("<main>"), "{page}");
    assert!(
        said("<section class=\"card failed\">\n<h3>install shop")
            < said("<p class=\"stops\"><strong>✗ 1 rule denies")
    );
    assert_eq!(page.matches("<details open>").count(), 1, "{page}");
    said("<section class=\"card fine\">\n<h3>uninstall shop");
    assert_closed(&page);
}

#[test]
fn what_was_said_left_of_a_bar_was_set_over_the_cross_there() {
    let job = |place: u32| {
        let name = SHOP.split("---\n").find(|text| text.contains("name: migrate\n") && text.contains("Job"));
        let job = name.unwrap().replace("name: migrate\n", &format!("name: step-{place}\n"));
        format!("---\n{}", job.replace("serviceAccountName: migrate, ", ""))
    };
    let chart: String = (0..45).map(job).collect();
    let scenario = played_chart(&chart, "4", &[Install, Upgrade], &[], &Flags::default());
    let drawing = drawing::draw(&Story::all(&scenario).last().unwrap());
    let number = |text: &str, until: &str| text.split(until).next().unwrap().parse::<f64>().unwrap();
    let (mut cross, mut beside) = (0.0, 0);
    for line in drawing.lines() {
        if let Some((_, path)) = line.split_once("<path d=\"M") {
            cross = number(path, " ");
        } else if line.contains("text-anchor=\"end\">✓") {
            let ends = number(line.split_once("x=\"").unwrap().1, "\"");
            assert!(ends < cross, "{line} ends behind {cross}");
            beside += 1;
        }
    }
    assert!(beside > 0, "{drawing}");
}

#[test]
fn the_line_of_a_failure_ran_through_words() {
    let scenario = played("4", &[Install, Upgrade], &[("Job/migrate", "fail")], &Flags::default());
    let drawing = drawing::draw(&Story::all(&scenario).last().unwrap());
    assert!(drawing.contains("class=\"said bad on-odd\""), "words are framed in what is behind: {drawing}");
    assert!(STYLE.contains("svg .said.on-odd { stroke: var(--odd); }"));
}
