//! A bug that one object meets must not end the watch on all of them.

use std::panic::{self, AssertUnwindSafe};

/// What `read` makes of one object; a bug in it makes that object one that cannot be read.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // What it may have left half done goes with it: it only looks at the object.
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("reading it met a bug of Hookward, whose place is in the log".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_met_a_bug_ended_the_watch_on_all() {
        assert_eq!(guarded(|| Ok(1)), Ok(1));
        assert_eq!(guarded::<()>(|| Err("there is no spec".to_owned())), Err("there is no spec".to_owned()));
        assert!(guarded::<()>(|| panic!("a bug")).unwrap_err().contains("a bug of Hookward"));
    }
}
