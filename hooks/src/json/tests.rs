//! What the JSON reader makes of odd texts.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

#[track_caller]
fn read(text: &str) -> Node<'_> {
    object(text.as_bytes(), Interest::Everything).unwrap()
}

#[track_caller]
fn refuses(text: &str, message: &str) {
    let error = object(text.as_bytes(), Interest::Everything).unwrap_err();
    assert!(!error.is_limit());
    assert!(error.to_string().starts_with(&format!("not JSON: {message} at line ")), "{error}");
}

#[test]
fn data_of_secrets_in_a_list_is_not_held_either() {
    let text =
        br#"{"kind":"List","items":[{"kind":"Secret","data":{"password":"c2VjcmV0"},"type":"Opaque"}]}"#;
    let list = object(text, Interest::Judged).unwrap();
    let secret = &list.get("items").unwrap().items()[0];
    assert_eq!(secret.get("data"), None);
    assert_eq!(secret.str_at("type"), Some("Opaque"));
}

#[test]
fn text_is_borrowed_unless_it_is_escaped() {
    let node = read(r#"{"plain":"a","esc\u0061ped":"a\nb"}"#);
    let [plain, escaped] = node.members() else { panic!("two members") };
    assert!(matches!(
        (&plain.name, &plain.node.value),
        (Cow::Borrowed("plain"), Value::String(Cow::Borrowed("a")))
    ));
    assert_eq!((escaped.name.as_ref(), escaped.node.as_str()), ("escaped", Some("a\nb")));
}

#[test]
fn the_last_member_of_a_name_wins() {
    for extra in [0, 3, 40] {
        let padding = (0..extra).map(|index| format!(r#""p{index}":0,"#)).collect::<Vec<_>>().concat();
        let text = format!(r#"{{"kind":"Pod",{padding}"kind":"Job","k\u0069nd":"CronJob"}}"#);
        let node = read(&text);
        assert_eq!(node.str_at("kind"), Some("CronJob"));
        assert_eq!(node.members().len(), extra + 1);
    }
}

#[test]
fn names_keep_their_case() {
    let node = read(r#"{"kind":"Job","Kind":"Pod"}"#);
    assert_eq!((node.str_at("kind"), node.str_at("Kind")), (Some("Job"), Some("Pod")));
}

#[test]
fn what_rules_do_not_look_at_is_not_held() {
    let text = br#"{"data":{"password":"x"},"metadata":{"managedFields":[1],"name":"a"},"spec":{"versions":[1],"data":1,
        "template":{"versions":[1],"data":2}}}"#;
    let node = object(text, Interest::Judged).unwrap();
    assert_eq!(node.get("data"), None);
    assert_eq!(node.at(&["metadata", "managedFields"]), None);
    assert_eq!(node.at(&["spec", "versions"]), None);
    assert_eq!(node.at(&["spec", "data"]).and_then(Node::as_i64), Some(1));
    assert!(node.at(&["spec", "template", "versions"]).is_some());
    assert_eq!(node.at(&["metadata", "name"]).and_then(Node::as_str), Some("a"));
}

#[test]
fn numbers_keep_what_they_are() {
    let node = read("[18446744073709551615,-9223372036854775808,1.5,1e3,-0]");
    let numbers: Vec<_> = node.items().iter().map(|item| item.to_json().to_string()).collect();
    assert_eq!(numbers, ["18446744073709551615", "-9223372036854775808", "1.5", "1000.0", "-0.0"]);
}

#[test]
fn errors_say_where_and_quote_nothing() {
    let error = object(b"{\"password\":\n  s3cret}", Interest::Everything).unwrap_err();
    assert_eq!(error.to_string(), "not JSON: expected value at line 2, column 3");
    refuses("", "it ends too early");
    refuses("{} {}", "trailing characters");
    refuses("\u{feff}{}", "expected value");
    refuses("1e999", "number out of range");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = object(b"{\n\"a\":\"\xff\"}", Interest::Everything).unwrap_err();
    assert_eq!(error.to_string(), "not JSON: not UTF-8 at line 2, column 6");
}

#[test]
fn a_nesting_bomb_is_refused() {
    refuses(&"[".repeat(100_000), "nested too deeply");
    refuses(&r#"{"a":"#.repeat(100_000), "nested too deeply");
    refuses(&"[".repeat(127), "it ends too early");
}

#[test]
fn a_bomb_in_what_is_skipped_costs_nothing() {
    let text = format!(r#"{{"data":{}{},"kind":"Secret"}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(object(text.as_bytes(), Interest::Judged).unwrap().str_at("kind"), Some("Secret"));
}

/// A list of so many items.
fn list_of(items: usize) -> String {
    format!("[0{}]", ",0".repeat(items - 1))
}

#[test]
fn more_values_than_anybody_writes_are_refused_and_counted_before_they_are_held() {
    let largest = list_of(NODES - 1);
    assert_eq!(read(&largest).items().len(), NODES - 1);
    let members = format!("{{\"a\":0{}}}", r#","b":[]"#.repeat(NODES / 2));
    // What comes after the limit is not even looked at.
    for text in [list_of(NODES), members, largest.replace(']', ",0,?")] {
        let error = object(text.as_bytes(), Interest::Everything).unwrap_err();
        assert!(error.is_limit());
        assert_eq!(error.to_string(), "too large: it has more values and names than can be held");
    }
}

#[test]
fn what_is_held_fits_into_the_room_it_is_given() {
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for (text, least, most) in [
        (list_of(100_000), 100_000 * size_of::<Node<'_>>(), 10 << 20),
        (format!("[{}1]", r#"{"a":1},"#.repeat(10_000)), 10_000 * 4 * size_of::<Member<'_>>(), 5 << 20),
        (format!("[{}1]", format!("{nested},").repeat(1_000)), 100_000 * 4 * size_of::<Node<'_>>(), 20 << 20),
        (format!(r#"["{}\n"]"#, "a".repeat(1 << 20)), 1 << 20, 2 << 20),
        (format!(r#"{{"{}\n":1}}"#, "a".repeat(1 << 20)), 1 << 20, 2 << 20),
    ] {
        let within =
            |bytes| object_within(text.as_bytes(), Interest::Everything, &Room::new(bytes)).map(|_| ());
        assert_eq!(within(least - 1), Err(Error::TooLarge), "{}", &text[..20]);
        assert_eq!(within(most), Ok(()), "{}", &text[..20]);
    }
}

#[test]
fn values_that_are_not_held_are_not_counted() {
    let text = format!(r#"{{"data":{0},"metadata":{{"managedFields":{0},"name":"a"}}}}"#, list_of(NODES));
    let node = object(text.as_bytes(), Interest::Judged).unwrap();
    assert_eq!(node.at(&["metadata", "name"]).and_then(Node::as_str), Some("a"));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (-1e300_f64..1e300).prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 24, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::hash_map(".{0,6}", inner, 0..24)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_reads_what_serde_json_reads(value in any_json()) {
        let text = value.to_string();
        prop_assert_eq!(read(&text).to_json(), serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }

    #[test]
    fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = object(&text, Interest::Judged);
    }
}
