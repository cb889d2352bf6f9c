//! What was said of trouble that lasts: once, until it is another one or has passed.

use std::collections::BTreeMap;

/// The newest trouble of each kind.
#[derive(Debug, Default)]
pub(crate) struct Said {
    newest: BTreeMap<&'static str, String>,
}

impl Said {
    /// Whether this trouble of this kind was not the last one that was said.
    pub(crate) fn is_news(&mut self, kind: &'static str, trouble: &str) -> bool {
        let before = self.newest.insert(kind, trouble.to_owned());
        before.as_deref() != Some(trouble)
    }

    /// The trouble of this kind has passed.
    pub(crate) fn passed(&mut self, kind: &'static str) {
        self.newest.remove(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_was_told_at_every_try() {
        let mut said = Said::default();
        assert!(said.is_news("write", "forbidden") && said.is_news("read", "forbidden"));
        assert!(!said.is_news("write", "forbidden"));
        assert!(said.is_news("write", "no answer") && said.is_news("write", "forbidden"));
        said.passed("write");
        assert!(said.is_news("write", "forbidden") && !said.is_news("read", "forbidden"));
    }
}
