//! Sentences that speak of secrets and tell none.

/// How messages go on after `token: ` and the like.
///
/// Source of those with `value`: Kubernetes `apimachinery/pkg/util/validation/field/errors.go`.
const GOING_ON: [&str; 42] = [
    "required value",
    "invalid value: ",
    "duplicate value: ",
    "unsupported value: ",
    "forbidden: ",
    "not found",
    "too long",
    "too many",
    "internal error",
    "no such file",
    "permission denied",
    "is a directory",
    "not a directory",
    "operation not permitted",
    "read-only file",
    "input/output error",
    "unexpected status",
    "unexpected end",
    "unexpected http",
    "failed to ",
    "failure ",
    "unable to ",
    "cannot ",
    "could not ",
    "couldn't ",
    "error ",
    "error: ",
    "server message: ",
    "server error",
    "rpc error: ",
    "get \"",
    "post \"",
    "head \"",
    "put \"",
    "context deadline",
    "context canceled",
    "connection refused",
    "timed out",
    "timeout ",
    "dial tcp",
    "pod \"",
    "secret \"",
];
/// The same, which begin with a name in quotes.
const OF_OBJECTS: [&str; 7] = [
    "secrets \"",
    "configmap \"",
    "serviceaccount \"",
    "serviceaccounts \"",
    "access denied",
    "unauthorized",
    "status 40",
];
/// What names in quotes are names of.
const KINDS: [&str; 18] = [
    "volume",
    "volumes",
    "secret",
    "secrets",
    "configmap",
    "configmaps",
    "pod",
    "pods",
    "container",
    "job",
    "jobs",
    "jobs.batch",
    "serviceaccount",
    "serviceaccounts",
    "image",
    "hook",
    "resource",
    "namespace",
];
/// Names that programs do not speak of in this way.
const NEVER: [&str; 6] = ["pass", "pwd", "passphrase", "passwd", "cookie", "apikey"];
/// The most characters that are looked back.
const BACK: usize = 300;

/// Whether a sentence goes on after the name, the colon and a blank.
pub(super) fn goes_on(before: &str, name: &str, value: &str) -> bool {
    let small = name.to_ascii_lowercase();
    if small == "password" && before.ends_with("(using ") {
        return value.starts_with("YES)") || value.starts_with("NO)");
    }
    let is_file = before.ends_with('/') || before.ends_with('.');
    let is_secret_itself = small.ends_with("password") || NEVER.iter().any(|word| small.ends_with(word));
    if is_secret_itself && !is_file {
        return false;
    }
    GOING_ON.iter().chain(&OF_OBJECTS).any(|beginning| {
        value.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    })
}

/// Whether the text ends inside a URL: what is quoted there is no name.
pub(super) fn is_of_url(before: &str) -> bool {
    let mut following = ['\0'; 2];
    for character in before.chars().rev().take(BACK) {
        if character.is_whitespace() || "\"'`".contains(character) {
            return false;
        }
        if character == ':' && following == ['/', '/'] {
            return true;
        }
        following = [character, following[0]];
    }
    false
}

/// Whether a name in quotes after this text is that of an object: `volume "`.
pub(super) fn is_named_object(before: &str) -> bool {
    let open = before.char_indices().rev().take(BACK).find(|(_, character)| "\"'`".contains(*character));
    let Some((open, _)) = open else { return false };
    let words = before[..open].trim_end_matches('\\');
    let Some(words) = words.strip_suffix(' ') else { return false };
    KINDS.iter().any(|kind| {
        let Some(start) = words.len().checked_sub(kind.len()) else { return false };
        let is_alone = !words.get(..start).is_some_and(|head| head.ends_with(char::is_alphanumeric));
        is_alone && words.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(kind))
    })
}

/// Whether it is the tag of an image: `registry/shop-secrets:1.2`.
pub(super) fn is_image(before: &str, name: &str, value: &str) -> bool {
    let is_tag = value.starts_with("latest")
        || value.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
    before.ends_with('/') && name.contains('-') && is_tag
}
