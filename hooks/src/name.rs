//! Names as Kubernetes and Helm take them.

/// The longest name of a release: Helm hangs more behind it.
///
/// Source: Helm 4.2.4 `pkg/chart/v2/util/validate_name.go`, `maxReleaseNameLen`.
pub const RELEASE_LENGTH: usize = 53;
/// The longest label, and so the longest name of a namespace.
pub const LABEL_LENGTH: usize = 63;
/// The longest name of an object.
const SUBDOMAIN_LENGTH: usize = 253;

/// Whether a release may be called so.
///
/// Source: Helm 4.2.4 `pkg/chart/v2/util/validate_name.go`, `ValidateReleaseName`.
#[must_use]
pub fn is_release(text: &str) -> bool {
    text.len() <= RELEASE_LENGTH && is_subdomain(text)
}

/// Whether a namespace may be called so.
///
/// Source: Kubernetes `apimachinery/pkg/util/validation/validation.go`, `IsDNS1123Label`.
#[must_use]
pub fn is_label(text: &str) -> bool {
    text.len() <= LABEL_LENGTH && is_part(text)
}

/// Whether most objects may be called so; safe in a path, in a selector and in a command.
///
/// Source: Kubernetes `apimachinery/pkg/util/validation/validation.go`, `IsDNS1123Subdomain`: its parts may be longer than a label.
#[must_use]
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN_LENGTH && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_releases_and_objects_differ_in_dots_and_length() {
        for name in ["a", "1", "shop-1", "1-a", &"a".repeat(53)] {
            assert!(is_label(name) && is_release(name) && is_subdomain(name), "{name}");
        }
        assert!(is_label(&"a".repeat(63)) && !is_release(&"a".repeat(63)));
        assert!(!is_label(&"a".repeat(64)) && is_subdomain(&"a".repeat(253)));
        assert!(!is_label("a.b") && is_release("a.b-1") && is_subdomain("a.b-1"));
    }

    #[test]
    fn what_leads_elsewhere_is_no_name() {
        for name in [
            "",
            ".",
            "..",
            "../x",
            "Shop",
            "Foo_Bar",
            "-a",
            "a-",
            "a.-b",
            "a-.b",
            ".a",
            "a.",
            "a..b",
            "a b",
            "a\n",
            "a/b",
            "a/secrets/b",
            "a?b",
            "a%2fb",
            "a,b=c",
            "ä",
            &"a".repeat(254),
        ] {
            assert!(!is_label(name) && !is_release(name) && !is_subdomain(name), "{name:?}");
        }
    }
}
