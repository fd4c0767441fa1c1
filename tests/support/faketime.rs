//! libfaketime, which moves the clock of a program that a test starts.

use std::path::PathBuf;
use std::process::Command;

use super::not_run;

/// The library; `faketime` of Debian has it.
#[derive(Debug, Clone)]
pub struct FakeTime(PathBuf);

impl FakeTime {
    /// None where it is missing. `.ci/run` says that it must not be.
    pub fn find() -> Option<FakeTime> {
        let places = ["/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime"];
        let mut found =
            places.iter().flat_map(|place| glob::glob(&format!("{place}/libfaketimeMT.so.1")).unwrap().flatten());
        let found = found.next();
        if found.is_none() {
            assert!(
                std::env::var_os("FLUXTOWER_NEEDS_FAKETIME").is_none(),
                "libfaketime is missing: install the Debian package faketime"
            );
            not_run("libfaketime is missing, so no clock can be moved: install the Debian package faketime");
        }
        found.map(FakeTime)
    }

    /// The clock of this program will be off by so many seconds. How long something takes stays as it is, and so do the
    /// times of files.
    pub fn move_clock(&self, command: &mut Command, off: i64) {
        command.env("LD_PRELOAD", &self.0).env("FAKETIME", format!("{off:+}")).env("NO_FAKE_STAT", "1");
        command.env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}
