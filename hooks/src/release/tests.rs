//! What is read of a release record, and what a hostile one cannot do.

use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{annotations, interest::Interest, json as reader};

fn base64(bytes: impl AsRef<[u8]>) -> String {
    decode::BASE64.encode(bytes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn hook_template() -> String {
    format!("metadata:\n  annotations:\n    {}: {{{{ .Values.event }}}}\n", annotations::HOOK)
}

fn shop() -> serde_json::Value {
    let file = |name: &str, text: &str| json!({"name": name, "data": base64(text)});
    json!({
        "name": "shop", "namespace": "demo", "version": 3, "manifest": "# Source: shop/templates/a.yaml\n",
        "info": {"status": "pending-upgrade", "notes": "hello", "first_deployed": "2026-01-02T03:04:05Z"},
        "config": {"password": "s3cret"},
        "hooks": [
            {"name": "migrate", "kind": "Job", "path": "shop/templates/migrate.yaml", "manifest": "kind: Job",
             "events": ["pre-upgrade"], "last_run": {"started_at": "2026-01-02T03:04:05Z", "phase": "Running"}},
            {"name": "check", "kind": "Pod", "last_run": {"started_at": "", "completed_at": "", "phase": ""}},
        ],
        "chart": {
            "metadata": {"name": "shop-chart", "version": "1.2.3", "apiVersion": "v2"},
            "templates": [
                file("templates/migrate.yaml", &hook_template()),
                file("templates/a.yaml", "kind: ConfigMap"),
                file("templates/NOTES.txt", &hook_template()),
            ],
            "values": {"password": "s3cret"}, "files": [file("README.md", "s3cret")],
        },
    })
}

fn decode(text: impl AsRef<[u8]>) -> Result<Record, Error> {
    Record::decode(text.as_ref(), &Limits::default())
}

#[track_caller]
fn refuses(text: impl AsRef<[u8]>, error: Error) {
    assert_eq!(decode(text), Err(error));
}

#[track_caller]
fn decode_json(value: &serde_json::Value) -> Result<Record, Error> {
    decode(encode(value.to_string().as_bytes()))
}

#[test]
fn a_record_keeps_what_matters() {
    let record = decode_json(&shop()).unwrap();
    assert_eq!((record.name.as_str(), record.namespace.as_str(), record.version), ("shop", "demo", 3));
    assert_eq!((record.chart_name.as_str(), record.chart_version.as_str()), ("shop-chart", "1.2.3"));
    assert!(record.is_pending());
    assert_eq!(record.manifest, "# Source: shop/templates/a.yaml\n");
    let [migrate, check] = &record.hooks[..] else { panic!("two hooks") };
    assert_eq!(
        (migrate.path.as_str(), migrate.manifest.as_str()),
        ("shop/templates/migrate.yaml", "kind: Job")
    );
    assert_eq!(
        (migrate.phase, migrate.started_at.as_deref()),
        (Some(Phase::Running), Some("2026-01-02T03:04:05Z"))
    );
    assert_eq!((check.phase, check.started_at.as_deref(), check.manifest.as_str()), (None, None, ""));
}

#[test]
fn only_what_helm_4_has_applied_is_applied() {
    for (method, is_applied) in [("null", false), ("\"\"", false), ("\"csa\"", false), ("\"ssa\"", true)] {
        let mut release = shop();
        release["apply_method"] = serde_json::from_str(method).unwrap();
        assert_eq!(decode_json(&release).map(|record| record.is_applied), Ok(is_applied), "{method}");
    }
    assert_eq!(decode_json(&shop()).map(|record| record.is_applied), Ok(false));
}

#[test]
fn only_templates_that_mention_hooks_are_kept_and_no_notes() {
    let templates = decode_json(&shop()).unwrap().templates;
    assert_eq!(templates, [Template { name: "templates/migrate.yaml".into(), text: hook_template() }]);
}

#[test]
fn printing_a_record_shows_nothing_it_renders() {
    let mut value = shop();
    value["manifest"] = "s3cret".into();
    value["hooks"][0]["manifest"] = "s3cret".into();
    let text = format!("{:?}", decode_json(&value).unwrap());
    assert!(text.contains("shop") && text.contains("migrate") && !text.contains("s3cret"), "{text}");
}

#[test]
fn what_was_rendered_are_documents_that_know_where_they_come_from() {
    let rendered = decode_json(&shop()).unwrap().rendered();
    let sources: Vec<_> = crate::manifest::split(&rendered).map(|document| document.source).collect();
    assert_eq!(sources, [Some("shop/templates/a.yaml"), Some("shop/templates/migrate.yaml"), Some("")]);
}

#[test]
fn records_from_before_compression_are_read() {
    assert_eq!(decode(base64(base64(shop().to_string()))), decode_json(&shop()));
}

#[test]
fn line_breaks_in_base64_are_skipped_as_go_skips_them() {
    let text = encode(shop().to_string().as_bytes());
    let wrapped = text.as_bytes().chunks(76).map(<[u8]>::to_vec).collect::<Vec<_>>().join(&b"\r\n"[..]);
    assert_eq!(decode(wrapped), decode_json(&shop()));
}

#[test]
fn gzip_in_several_members_is_read_as_go_reads_it() {
    let text = shop().to_string();
    let (head, tail) = text.as_bytes().split_at(100);
    assert_eq!(decode(base64(base64([gzip(head), gzip(tail)].concat()))), decode_json(&shop()));
}

#[test]
fn nothing_is_no_record() {
    refuses("", Error::Empty);
    refuses(base64(""), Error::Empty);
    refuses("\n", Error::Empty);
}

#[test]
fn both_layers_must_be_base64() {
    refuses("{}", Error::NotBase64);
    refuses(base64("{}"), Error::NotBase64);
    refuses(format!("{}!", encode(shop().to_string().as_bytes())), Error::NotBase64);
}

#[test]
fn truncated_gzip_is_told_apart_from_damaged_gzip() {
    let packed = gzip(shop().to_string().as_bytes());
    for length in [4, 10, 50, packed.len() / 2, packed.len() - 1] {
        refuses(base64(base64(&packed[..length])), Error::Truncated);
    }
    let mut damaged = packed.clone();
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    refuses(base64(base64(damaged)), Error::NotGzip);
    refuses(base64(base64([&packed[..], b"trailing garbage"].concat())), Error::NotGzip);
}

#[test]
fn a_gzip_bomb_is_stopped() {
    let limits = Limits { decompressed: 1 << 20, ..Limits::default() };
    let bomb = format!(r#"{{"config":"{}"}}"#, "a".repeat(8 << 20));
    let text = encode(bomb.as_bytes());
    assert!(text.len() < 20_000);
    assert_eq!(Record::decode(text.as_bytes(), &limits), Err(Error::TooLarge { limit: 1 << 20 }));
    assert_eq!(Limits::default().decompressed, 33_554_432);
}

#[test]
fn a_long_text_was_held_twice_whether_it_is_kept_or_not() {
    let limits = Limits { text: 1_000, ..Limits::default() };
    for (length, escape) in [(1_000, 0), (1_001, 0), (500, 500), (500, 501)] {
        for name in ["manifest", "config"] {
            let text = "a".repeat(length) + &r"\n".repeat(escape);
            let record = format!(r#"{{"name":"a","info":{{}},"{name}":"{text}"}}"#);
            let read = Record::decode(encode(record.as_bytes()).as_bytes(), &limits).map(|_| ());
            let wanted =
                if length + escape > 1_000 { Err(Error::TextTooLarge { limit: 1_000 }) } else { Ok(()) };
            assert_eq!(read, wanted, "{length} {escape}");
        }
    }
}

#[test]
fn hooks_that_are_long_together_are_not_held() {
    let hook = |length: usize| json!({"name": "a", "manifest": "a".repeat(length)}).to_string();
    assert!(with_lists(&repeated(&hook(1 << 20), 3), "").is_ok());
    let error = with_lists(&repeated(&hook(1 << 20), 4), "").unwrap_err();
    assert_eq!(error, Error::TooManyHooks { limit: 5_000, bytes: 4 << 20 });
}

#[test]
fn a_nesting_bomb_is_stopped_also_where_nothing_is_kept() {
    for bomb in [r#"{"config":"#, r#"{"hooks":"#, r#"{"chart":{"values":"#, ""] {
        refuses(encode(format!("{bomb}{}", "[".repeat(1 << 20)).as_bytes()), Error::TooDeep);
    }
    let brackets_in_text = json!({"name": "shop", "info": {}, "config": {"a\"\\": "[{".repeat(5_000)}});
    assert!(decode_json(&brackets_in_text).is_ok());
}

#[test]
fn what_is_not_json_breaks_at_a_place_and_quotes_nothing() {
    refuses(encode(b"{\"name\": s3cret}"), Error::NotJson { line: 1, column: 10 });
    refuses(encode(b"{\"name\":\"shop\""), Error::NotJson { line: 1, column: 14 });
    refuses(encode(b"{} {}"), Error::NotJson { line: 1, column: 4 });
}

#[test]
fn json_that_is_no_release_is_refused() {
    for text in
        ["null", "{}", "[]", "7", r#"{"name":""}"#, r#"{"name":"shop"}"#, r#"{"info":{},"name":["s3cret"]}"#]
    {
        refuses(encode(text.as_bytes()), Error::NoRelease);
    }
    refuses(encode(br#"{"name":"a","info":{},"chart":{"templates":[{"data":"?"}]}}"#), Error::NoRelease);
}

#[test]
fn null_counts_as_absent() {
    let record =
        decode_json(&json!({"name": "shop", "info": {"status": null}, "hooks": [null], "chart": null}))
            .unwrap();
    assert_eq!((record.status, record.hooks.len(), record.is_pending()), (Status::Other, 0, false));
}

#[test]
fn a_record_of_eight_megabytes_is_read() {
    let mut value = shop();
    value["manifest"] = "a: b\n".repeat(1_600_000).into();
    value["chart"]["files"] = json!([{"name": "big", "data": base64("x".repeat(1 << 20))}]);
    assert_eq!(decode_json(&value).unwrap().manifest.len(), 8_000_000);
}

/// So many items of a JSON list.
fn repeated(item: &str, times: usize) -> String {
    vec![item; times].join(",")
}

/// A record whose hooks, and templates, are these JSON lists.
fn with_lists(hooks: &str, templates: &str) -> Result<Record, Error> {
    let text =
        format!(r#"{{"name":"a","info":{{}},"hooks":[{hooks}],"chart":{{"templates":[{templates}]}}}}"#);
    decode(encode(text.as_bytes()))
}

#[test]
fn hooks_without_end_are_counted_and_not_held() {
    assert_eq!(with_lists(&repeated("{}", 5_000), "").unwrap().hooks.len(), 5_000);
    let error = Error::TooManyHooks { limit: 5_000, bytes: 4 << 20 };
    assert_eq!(
        error.to_string(),
        "the release record is too large to be judged: it has more than 5000 hooks, or 4194304 bytes of them"
    );
    assert_eq!(with_lists(&repeated("{}", 5_001), ""), Err(error.clone()));
    // Read past, whatever they are.
    assert_eq!(with_lists(&format!("{}[7],{{}}", "{},".repeat(1_000_000)), ""), Err(error));
    assert_eq!(with_lists(&repeated("null", 5_001), "").unwrap().hooks.len(), 0);
}

#[test]
fn templates_without_end_are_let_go() {
    let file = |name: &str, text: String| json!({"name": name, "data": base64(text)}).to_string();
    let empty = repeated("{}", 100_000);
    let one = file("a.yaml", hook_template());
    assert_eq!(with_lists("", &format!("{empty},{one}")).unwrap().templates.len(), 1);
    let many = repeated(&one, 5_001);
    assert_eq!(with_lists("", &many).unwrap().templates.len(), 5_000);
    assert_eq!(with_lists("", &file(&"a".repeat(1_025), hook_template())).unwrap().templates, []);
}

#[test]
fn two_mebibytes_of_templates_are_kept_and_the_others_left_out() {
    let large =
        json!({"name": "large", "data": base64(format!("{}{}", hook_template(), "a".repeat(3 << 19)))});
    let small = json!({"name": "small", "data": base64(hook_template())});
    let kept = with_lists("", &format!("{large},{large},{small}")).unwrap().templates;
    assert_eq!(kept.iter().map(|template| template.name.as_str()).collect::<Vec<_>>(), ["large", "small"]);
}

#[test]
fn names_that_nobody_can_use_are_refused() {
    let long = "a".repeat(254);
    for name in ["name", "namespace"] {
        let mut value = shop();
        value[name] = long.as_str().into();
        assert_eq!(decode_json(&value), Err(Error::NoRelease));
    }
    let mut value = shop();
    value["chart"]["metadata"]["name"] = long.into();
    assert_eq!(decode_json(&value).unwrap().chart_name, "");
}

fn release_secret(text: &str) -> Option<Result<Record, Error>> {
    let node = reader::object(text.as_bytes(), Interest::Everything).unwrap();
    secret(&node).map(|view| view.decode(&Limits::default()))
}

fn secret_of(field: &str, text: &str) -> serde_json::Value {
    let kind = format!("{}release.v1", annotations::PREFIX);
    json!({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": "s", "namespace": "demo"},
           field: {"release": text}})
}

#[test]
fn release_secrets_are_recognised() {
    let text = encode(shop().to_string().as_bytes());
    let record = decode_json(&shop());
    assert_eq!(release_secret(&secret_of("data", &text).to_string()), Some(record.clone()));
    let once = String::from_utf8(decode::BASE64.decode(text).unwrap()).unwrap();
    let mut both = secret_of("stringData", &once);
    both["data"] = json!({"release": "ignored"});
    assert_eq!(release_secret(&both.to_string()), Some(record));
    assert_eq!(release_secret(&secret_of("other", "").to_string()), Some(Err(Error::Empty)));
}

#[test]
fn other_objects_are_no_release_secrets() {
    for (field, value) in [("type", "Opaque"), ("kind", "ConfigMap"), ("apiVersion", "example.com/v1")] {
        let mut other = secret_of("data", "");
        other[field] = value.into();
        assert_eq!(release_secret(&other.to_string()), None);
    }
    assert_eq!(release_secret("[]"), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = decode(&bytes);
        let _ = decode(base64(&bytes));
        let _ = decode(base64(base64(&bytes)));
        let _ = decode(base64(base64([&MAGIC_HEAD, &bytes[..]].concat())));
        let _ = decode(encode(&bytes));
    }

    #[test]
    fn a_damaged_record_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut packed = gzip(shop().to_string().as_bytes());
        let place = place.index(packed.len());
        packed[place] = byte;
        let _ = decode(base64(base64(packed)));
    }
}

const MAGIC_HEAD: [u8; 10] = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 2, 255];
