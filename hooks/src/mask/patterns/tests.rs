//! Lines as programs and Kubernetes write them, each with what must not be shown of it.

use proptest::prelude::*;

use super::*;

fn assert_hidden(cases: &[(&str, &str)]) {
    for (line, shown) in cases {
        assert_eq!(hidden(line), *shown);
        assert_eq!(hidden(shown), *shown);
    }
}

#[test]
fn values_of_telling_names_are_hidden() {
    assert_hidden(&[
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("password: hunter2", "password: ***"),
        (r#"{"apiKey": "abc def", "user": "x"}"#, r#"{"apiKey": "***", "user": "x"}"#),
        ("--api-key hunter2 --verbose", "--api-key *** --verbose"),
        (r#"["--token", "hunter2", "-v"]"#, r#"["--token", "***", "-v"]"#),
        ("--password=hunter2", "--password=***"),
        ("Authorization: Basic abc def", "Authorization: ***"),
        ("CREATE USER app PASSWORD 'hunter2';", "CREATE USER app PASSWORD '***';"),
        ("IDENTIFIED BY 'hunter2'", "IDENTIFIED BY '***'"),
        ("PASSWORD 'ab''cd' x", "PASSWORD '***' x"),
        ("Server=db;Pwd=hunter2;User Id=x", "Server=db;Pwd=***;User Id=x"),
        ("ENCRYPTION_KEY=abc", "ENCRYPTION_KEY=***"),
        ("?token=abc&x=1", "?token=***&x=1"),
        ("secret => 'a'", "secret => '***'"),
        ("password:\u{a0}X", "password:\u{a0}***"),
        (r#"{"passwords":["X","Y"],"a":1}"#, r#"{"passwords":[***],"a":1}"#),
        (r#"curl -H "Authorization: Bearer X" https://a"#, r#"curl -H "Authorization: ***" https://a"#),
        ("password=ab)cd,ef", "password=***"),
        ("dial(password=X): refused", "dial(password=***): refused"),
    ]);
}

#[test]
fn values_in_json_in_json_are_hidden() {
    assert_hidden(&[
        (r#"{\"password\":\"X\"}"#, r#"{\"password\":\"***\"}"#),
        (r#"{\"password\":\"X\",\"user\":\"a\"}"#, r#"{\"password\":\"***\",\"user\":\"a\"}"#),
        (r#"{\\\"password\\\": \\\"a\\\\\\\"X\\\", b}"#, r#"{\\\"password\\\": \\\"***\\\", b}"#),
        (
            r#"{\\\\\\\"password\\\\\\\":\\\\\\\"X\\\\\\\"}"#,
            r#"{\\\\\\\"password\\\\\\\":\\\\\\\"***\\\\\\\"}"#,
        ),
    ]);
}

#[test]
fn an_escaped_quote_does_not_end_a_value() {
    assert_hidden(&[
        (r#"{"password":"ab\"cdX","a":1}"#, r#"{"password":"***","a":1}"#),
        (r#"{"password":"ab\\","a":"X"}"#, r#"{"password":"***","a":"X"}"#),
    ]);
}

#[test]
fn passwords_of_commands_addresses_and_elements_are_hidden() {
    assert_hidden(&[
        ("app:X@tcp(db:3306)/shop", "app:***@tcp(db:3306)/shop"),
        ("mysql -pX", "mysql -p***"),
        ("curl -u a:X https://b", "curl -u a:*** https://b"),
        ("--user a:X", "--user a:***"),
        ("<password>X</password>", "<password>***</password>"),
        (r#"<ns:apiKey attr="1">X</ns:apiKey>"#, r#"<ns:apiKey attr="1">***</ns:apiKey>"#),
    ]);
}

#[test]
fn names_joined_in_any_way_are_telling() {
    assert_hidden(&[
        ("dbPass=X", "dbPass=***"),
        ("db.pass=X", "db.pass=***"),
        ("DB_PASS: X", "DB_PASS: ***"),
        ("encryptionKey: X", "encryptionKey: ***"),
    ]);
}

#[test]
fn values_of_several_words_are_hidden_to_their_end() {
    assert_hidden(&[
        ("password: first X", "password: ***"),
        ("password: first X, user: app", "password: ***, user: app"),
        ("password: first, X; user=app", "password: ***; user=app"),
        (r#"msg="password: first X" user=app"#, r#"msg="password: ***" user=app"#),
    ]);
}

#[test]
fn what_only_speaks_of_secrets_stays() {
    for line in [
        "password authentication failed for user \"app\"",
        "token expired",
        "duplicate key value violates unique constraint",
        "passing 5 of 6 tests: ok",
        "monkey: banana",
        "primaryKey: id",
        "password=",
        "connection refused to db:5432",
        "exit code 3",
        "/etc/passwd missing",
        "cat: /etc/passwd: Permission denied",
        "open /run/secrets/db-password: no such file or directory",
        "open /certs/tls.key: no such file or directory",
        "Access denied for user 'root'@'10.0.0.1' (using password: YES)",
        "failed to refresh token: unexpected status 503",
        "denied by \"policy\"",
        "required flag(s) \"--password\" not set",
        "reg.example.org/shop/app:1.2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "job 123e4567-e89b-12d3-a456-426614174000 failed",
        "2026-11-21T13:07:36.123456789Z it began at 13:07:36+01:00",
    ] {
        assert_eq!(hidden(line), line);
    }
}

#[test]
fn tokens_are_known_by_their_shape() {
    for token in [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghij",
        "0123456789abcdef0123456789abcdef01234567",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY9",
    ] {
        assert_eq!(hidden(&format!("got {token}, so")), "got ***, so");
    }
    assert_eq!(hidden("curl -H 'Bearer abcdefgh1'"), "curl -H 'Bearer ***'");
    for word in [
        "/usr/lib/python3.11/site-packages/sqlalchemy/engine/base.py",
        "shop-migrate-7c9b5d8f6b-x7k2p",
        "123e4567-e89b-12d3-a456-426614174000",
        "org.springframework.beans.factory.BeanCreationException",
        "Basic checks",
    ] {
        assert_eq!(hidden(word), word);
    }
}

#[test]
fn a_word_alone_is_no_part_of_another() {
    assert_eq!(without_word("a1 1 1b 1", "1"), "a1 *** 1b ***");
}

/// Work that grows with the square of a line would not end here.
#[test]
fn long_lines_of_the_same_are_read_to_their_end() {
    for part in [
        "password:",
        "password: ",
        "password= ",
        "password\\",
        "password\":",
        "://password\\:",
        "\\",
        "\"",
        "'\\''",
        "-----BEGIN ",
        "-----",
        "<password ",
        "<password>",
        "a:b@",
        "://",
        ", ",
        "password=) ",
        "password ' ",
        "-u '",
        "mysql -p\"",
        "[",
        "token: [",
        "--token ",
    ] {
        let line = part.repeat((1 << 20) / part.len());
        assert!(hidden(&line).len() <= 2 * line.len());
    }
}

/// Lines made of what means something to the masker.
fn line() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::sample::select(vec![
            "password",
            "dbPass",
            "token",
            "Authorization",
            "key",
            "user",
            ": ",
            ":",
            "=",
            " = ",
            "\"",
            "'",
            "\\",
            "\\n",
            "\\\"",
            ",",
            ";",
            " ",
            "@",
            "://",
            "{",
            "}",
            "[",
            "]",
            "<",
            ">",
            "</",
            "--",
            "-p",
            "-u",
            "mysql ",
            "curl ",
            "Bearer ",
            "-----BEGIN ",
            "-----END ",
            "PRIVATE KEY",
            "-----",
            "***",
            "é",
            "\u{a0}",
            "abc",
            "1",
            "(",
            ")",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn no_line_is_too_odd_to_be_masked(line in line()) {
        let _ = crate::Mask::default().text(&line);
        let _ = crate::Mask::default().lines(&line);
    }

    #[test]
    fn a_value_is_hidden_whatever_comes_before(line in line(), depth in 0_u32..4) {
        let quote = format!("{}\"", "\\".repeat(2_usize.pow(depth) - 1));
        let text = format!("{line} {{{quote}password{quote}:{quote}hunter2{quote}}}");
        prop_assert!(!hidden(&text).contains("hunter2"), "{}", hidden(&text));
    }

    #[test]
    fn what_is_masked_is_masked_no_further(line in line()) {
        let once = hidden(&line);
        prop_assert_eq!(hidden(&once), once);
    }
}
