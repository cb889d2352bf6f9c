//! The exit codes: 2 beats 1 beats 0.

/// Nothing to object to.
pub const CLEAN: u8 = 0;
/// Findings at or above the asked level.
pub const FINDINGS: u8 = 1;
/// Could not run, or could not read some input.
pub const FAILED: u8 = 2;
