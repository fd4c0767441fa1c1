//! The lines about the database: whether it is intact, its size, and its disk.

#[cfg(not(windows))]
use std::path::Path;

use super::super::output::bytes;
use super::Report;
use crate::status::Room;
#[cfg(windows)]
use crate::status::real_share as network;
use crate::store::{Store, folder_of};

pub(super) fn lines(store: &Store, report: &mut Report) {
    let path = store.path();
    let size = store.size();
    let text = format!("{}, {} and {} of log", path.display(), bytes(size.database), bytes(size.log));
    match store.quick_check() {
        Ok(found) if found == "ok" => report.say("database", "ok", text),
        Ok(found) => report.say("database", "bad", format!("{text}: damaged ({found}); run `fluxtower salvage`")),
        Err(error) => report.say("database", "bad", error.to_string()),
    }
    let folder = folder_of(path);
    match Room::of(folder) {
        Ok(room @ Room { free, .. }) if room.is_little() => report.say(
            "disk",
            "look",
            format!("{} free; make room, or let sent rows go with `fluxtower prune` or [store] keep", bytes(free)),
        ),
        Ok(Room { free, .. }) => report.say("disk", "ok", format!("{} free", bytes(free))),
        Err(error) => report.say("disk", "look", format!("cannot tell how much is free: {error}")),
    }
    if let Some(kind) = network(folder) {
        report.say(
            "disk",
            "look",
            format!(
                "the database is on a network drive ({kind}), where SQLite's locks and syncs are not reliable and a lost \
                 link can damage it; set [store] path to a folder on this computer"
            ),
        );
    }
}

/// The network file system of the folder, from the system's list of mounts; other systems have no such list that can be
/// read as a file.
#[cfg(not(windows))]
#[expect(clippy::disallowed_methods, reason = "only the real path tells the mount, and no pattern is made of it")]
fn network(folder: &Path) -> Option<String> {
    let real = std::fs::canonicalize(folder).ok()?;
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    network_mount(&mounts, &real)
}

/// The type of the file system of `path`, if it is a network file system.
#[cfg(not(windows))]
fn network_mount(mounts: &str, path: &Path) -> Option<String> {
    const NETWORK: [&str; 11] =
        ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "9p", "fuse.sshfs", "fuse.rclone"];
    let mut deepest: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut parts = line.split(' ').skip(1);
        let (Some(place), Some(kind)) = (parts.next(), parts.next()) else { continue };
        // Blanks in a name are written there as octal numbers.
        let place = place.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
        // Of two mounts on one folder the later one is effective.
        if path.starts_with(&place) && deepest.is_none_or(|(length, _)| place.len() >= length) {
            deepest = Some((place.len(), kind));
        }
    }
    deepest.map(|(_, kind)| kind).filter(|kind| NETWORK.contains(kind)).map(str::to_owned)
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_tells_whether_a_folder_is_on_the_network() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/x /mnt nfs4 rw 0 0\n//nas/flux /mnt/my\\040nas cifs rw 0 0\n\
                      /dev/sdb1 /mnt/disk ext4 rw 0 0\n";
        let kind = |path: &str| network_mount(mounts, Path::new(path));
        assert_eq!(kind("/mnt/tower"), Some("nfs4".to_owned()));
        assert_eq!(kind("/mnt/my nas/tower"), Some("cifs".to_owned()));
        assert_eq!(kind("/mnt/disk/tower"), None);
        assert_eq!(kind("/home/tower"), None);
        assert_eq!(kind("/mntx"), None);
    }
}
