//! A small disk, and one that is full.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::not_run;

/// A file system of so many kilobytes; unmounted when it is dropped. None where this user may not mount.
pub struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    pub fn mount(place: &Path, kilobytes: u32) -> Option<SmallDisk> {
        std::fs::create_dir_all(place).unwrap();
        let disk = SmallDisk { place: place.to_owned() };
        let is_mounted = disk.call(&["mount", "-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]);
        if !is_mounted {
            not_run("only root may mount a small disk; run this test as root to see a full one");
        }
        is_mounted.then_some(disk)
    }

    pub fn grow(&self, kilobytes: u32) {
        assert!(self.call(&["mount", "-o", &format!("remount,size={kilobytes}k")]));
    }

    fn call(&self, words: &[&str]) -> bool {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&self.place);
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a program that a test beside this one starts may hold a file here for a moment.
        self.call(&["umount", "-l"]);
    }
}

/// Takes all the room that is left on a disk, until it is dropped.
pub struct Ballast(PathBuf);

impl Ballast {
    pub fn load(folder: &Path) -> Ballast {
        let path = folder.join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        for size in [65_536, 4_096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        Ballast(path)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
