//! A changed configuration of an agent that stays up.
//!
//! The file is looked at each second. A change is checked once it has been the same for two looks, because an editor may write
//! a file in pieces. One that is wrong, or does not fit the store, is not taken up: the one before stays in force, and the
//! store keeps why, which is a finding of `status` until a right one was read.

use std::path::PathBuf;
use std::time::Duration;

use super::{Agent, AgentError};
use crate::config::{Config, ConfigError};
use crate::status::{self, RefusedConfiguration};

/// From one look at the file to the next.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// The file, and what was last decided about it.
#[derive(Debug)]
pub(super) struct ConfigFile {
    path: PathBuf,
    decided: u64,
    /// Seen once.
    candidate: Option<u64>,
}

impl ConfigFile {
    pub(super) fn of(config: &Config) -> ConfigFile {
        ConfigFile { path: config.path.clone(), decided: config.fingerprint, candidate: None }
    }

    /// Whether the file, as it was decided about last, is this configuration.
    pub(super) fn is(&self, config: &Config) -> bool {
        self.decided == config.fingerprint
    }

    /// A change that is to be decided about.
    pub(super) fn look(&mut self) -> Option<Result<Config, ConfigError>> {
        let read = Config::read(&self.path);
        let seen = match &read {
            Ok(text) => Config::fingerprint_of(text),
            Err(error) => Config::fingerprint_of(&error.to_string()),
        };
        let is_same_as_before = self.candidate.replace(seen) == Some(seen);
        if seen == self.decided || !is_same_as_before {
            return None;
        }
        self.decided = seen;
        Some(read.and_then(|text| Config::parse(&text, &self.path)))
    }
}

/// Reports a configuration that is not taken up, and keeps why in the store of the one in force.
pub(super) fn refuse(in_force: &Agent, why: &(dyn std::error::Error + 'static)) {
    let why = why.to_string();
    in_force.events.failed(&AgentError::NotTakenUp { why: why.clone() });
    let refused = RefusedConfiguration { since: in_force.now(), why };
    keep(in_force, Some(&refused));
}

/// The configuration in force is that of the file.
pub(super) fn accept(in_force: &Agent) {
    keep(in_force, None);
}

fn keep(agent: &Agent, refused: Option<&RefusedConfiguration>) {
    let kept = agent.store().and_then(|store| status::keep_refused_configuration(&store, refused));
    if let Err(error) = kept {
        tracing::debug!("whether the configuration was taken up was not kept: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> String {
        format!(
            "[station]\nname = \"{name}\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n"
        )
    }

    #[test]
    fn a_file_that_is_still_being_written_is_not_decided_about() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text("A")).unwrap();
        let mut file = ConfigFile::of(&Config::load(&path).unwrap());
        assert!(file.look().is_none() && file.look().is_none());
        // In pieces: the first half alone would be wrong.
        std::fs::write(&path, &text("B")[..20]).unwrap();
        assert!(file.look().is_none());
        std::fs::write(&path, text("B")).unwrap();
        assert!(file.look().is_none());
        assert_eq!(file.look().unwrap().unwrap().station.name, "B");
        assert!(file.look().is_none());
        // Wrong, and back again.
        std::fs::write(&path, "[station]\n").unwrap();
        assert!(file.look().is_none());
        assert!(file.look().unwrap().is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(file.look().is_none());
        assert!(matches!(file.look(), Some(Err(ConfigError::Missing { .. }))));
        assert!(file.look().is_none());
        std::fs::write(&path, text("B")).unwrap();
        assert!(file.look().is_none());
        assert_eq!(file.look().unwrap().unwrap().station.name, "B");
    }
}
