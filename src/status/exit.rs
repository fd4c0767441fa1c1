//! The exit code: a number that gives the result of a command to a script or a scheduler.

/// How a command or a pass ended. The number is the exit code, and is kept with each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All well.
    Well = 0,
    /// It works, and a user must look.
    Look = 1,
    /// Wrong use or configuration.
    Usage = 2,
    /// The destination refuses us.
    Refused = 3,
    /// The work could not be done: disk, database.
    Failed = 4,
}

impl Exit {
    /// Whether a pass could not do its work.
    pub fn is_failure(self) -> bool {
        self >= Exit::Usage
    }

    /// What a pass that ended so is given, where the list of findings comes to `verdict`: a failure is its own, and whether
    /// a user must look is said by the list alone.
    pub fn with(self, verdict: super::Verdict) -> Exit {
        if self.is_failure() { self } else { verdict.exit() }
    }
}
