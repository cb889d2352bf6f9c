//! Which parts of an object a reader keeps.

/// How much of an object is needed. What is skipped is read past, never held: data of Secrets cannot leak from where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// All of it, for those who pass the object on.
    Everything,
    /// What rules look at: no data of ConfigMaps and Secrets, no status, no managed fields, no schemas of CRDs.
    Judged,
}

impl Interest {
    /// Whether the member `name` of the object itself (`depth` 0), of its `metadata` or `spec` (`depth` 1, `parent` says which) is kept.
    #[must_use]
    pub fn keeps(self, depth: usize, parent: &str, name: &str) -> bool {
        self == Self::Everything
            || match (depth, parent, name) {
                (0, _, "data" | "stringData" | "binaryData") => false,
                (1, "metadata", "managedFields") | (1, "spec", "versions" | "validation") => false,
                _ => true,
            }
    }
}
