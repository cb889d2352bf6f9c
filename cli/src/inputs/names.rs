//! Names of releases and namespaces, refused as Helm and the API server would refuse them.

/// Helm takes no longer names of releases, since it hangs more behind them.
const LONGEST_RELEASE: usize = 53;
/// No label of DNS is longer.
const LONGEST_NAMESPACE: usize = 63;

/// The name of a release.
///
/// Source: Helm 4.2.4 `pkg/chart/v2/util/validate_name.go`.
pub(crate) fn release(name: &str) -> Result<String, String> {
    if name.len() <= LONGEST_RELEASE && name.split('.').all(is_label) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "Helm would refuse this name: lower case letters, digits, - and . between them, at most {LONGEST_RELEASE}"
    ))
}

/// The name of a namespace.
pub(crate) fn namespace(name: &str) -> Result<String, String> {
    if name.len() <= LONGEST_NAMESPACE && is_label(name) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "no namespace has such a name: lower case letters, digits and - between them, at most {LONGEST_NAMESPACE}"
    ))
}

fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_helm_takes() {
        for name in ["a", "shop-1", "1-a", "shop.one", &"a".repeat(53)] {
            assert_eq!(release(name).as_deref(), Ok(name));
        }
        for name in ["", "Foo_Bar", "-a", "a-", "a..b", ".a", "a b", &"a".repeat(54)] {
            assert!(release(name).is_err(), "{name}");
        }
        for name in ["", "Foo Bar", "a.b", "-a", "a-", &"a".repeat(64)] {
            assert!(namespace(name).is_err(), "{name}");
        }
        assert!(namespace(&"a".repeat(63)).is_ok());
    }
}
