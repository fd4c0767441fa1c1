//! Detects whether a folder is on a network share, which a scheduled task without a stored password cannot access.

use std::path::Path;

/// The network share on which a pattern's folder lies, where the path or the system says so.
pub(super) fn share(pattern: &Path) -> Option<String> {
    let text = pattern.to_string_lossy().replace('/', "\\");
    if let Some(rest) = text.strip_prefix("\\\\").filter(|rest| !rest.starts_with(['?', '.'])) {
        let mut parts = rest.split('\\');
        return Some(format!("\\\\{}\\{}", parts.next()?, parts.next().unwrap_or_default()));
    }
    mapped(pattern)
}

/// A mapped drive's real name is its share's.
#[cfg(windows)]
fn mapped(pattern: &Path) -> Option<String> {
    use std::path::Component;
    let drive = pattern.components().next().filter(|first| matches!(first, Component::Prefix(_)))?;
    real_share(&Path::new(drive.as_os_str()).join("\\"))
}

/// The share that a path really lies on, where it is reached by the name of a drive.
#[cfg(windows)]
#[expect(clippy::disallowed_methods, reason = "only the real path has the share's name, and no pattern is made of it")]
pub fn real_share(path: &Path) -> Option<String> {
    use std::path::{Component, Prefix};
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Component::Prefix(prefix) = real.components().next()? else { return None };
    match prefix.kind() {
        Prefix::UNC(server, share) | Prefix::VerbatimUNC(server, share) => {
            Some(format!(r"\\{}\{}", server.display(), share.display()))
        }
        _ => None,
    }
}

#[cfg(not(windows))]
fn mapped(_pattern: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_on_a_share_is_known_by_its_path() {
        let of = |path: &str| share(Path::new(path));
        assert_eq!(of(r"\\nas\flux\met.dat"), Some(r"\\nas\flux".to_owned()));
        assert_eq!(of("//nas/flux/*.dat"), Some(r"\\nas\flux".to_owned()));
        assert_eq!(of(r"\\?\C:\Campbellsci\met.dat"), None);
        assert_eq!(of("/home/tower/met.dat"), None);
    }
}
