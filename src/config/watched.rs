//! Detects changes of the configuration file while the program stays up, as in `run --watch` and `serve`.
//!
//! A change is reported after two looks have found the same content, because an editor may write a file in pieces.
//! While the configuration is wrong, it is read again at each look: a file that it names, such as a file of limits, may
//! have been corrected without a change of the configuration file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Config, ConfigError};

/// The file, and the content that was last reported.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    /// The fingerprint of the configuration, or of its error.
    decided: u64,
    /// The fingerprint of a content that was found by one look.
    candidate: Option<u64>,
}

impl ConfigFile {
    /// The time between two looks at the file.
    pub const LOOK: Duration = Duration::from_secs(1);

    /// Watches the file of a configuration that is in force.
    pub fn of(config: &Config) -> ConfigFile {
        ConfigFile { path: config.path.clone(), decided: config.fingerprint, candidate: None }
    }

    /// Opens the file at `path` and loads its present content, which counts as reported.
    pub fn open(path: &Path) -> (ConfigFile, Result<Config, ConfigError>) {
        let config = Config::load(path);
        (ConfigFile { path: path.to_owned(), decided: seen(&config), candidate: None }, config)
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the last reported content of the file is this configuration.
    pub fn is(&self, config: &Config) -> bool {
        self.decided == config.fingerprint
    }

    /// Looks at the file, and returns the new configuration or its error if a change is to be reported.
    pub fn look(&mut self) -> Option<Result<Config, ConfigError>> {
        let text = Config::read(&self.path);
        if text.as_ref().is_ok_and(|text| Config::fingerprint_of(text) == self.decided) {
            self.candidate = None;
            return None;
        }
        let config = text.and_then(|text| Config::parse(&text, &self.path));
        let seen = seen(&config);
        let is_same_as_before = self.candidate.replace(seen) == Some(seen);
        if seen == self.decided || !is_same_as_before {
            return None;
        }
        self.decided = seen;
        Some(config)
    }
}

fn seen(config: &Result<Config, ConfigError>) -> u64 {
    match config {
        Ok(config) => config.fingerprint,
        Err(error) => Config::fingerprint_of(&error.to_string()),
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
        // Written in pieces: the first part alone would be wrong.
        std::fs::write(&path, &text("B")[..20]).unwrap();
        assert!(file.look().is_none());
        std::fs::write(&path, text("B")).unwrap();
        assert!(file.look().is_none());
        assert_eq!(file.look().unwrap().unwrap().station.name, "B");
        assert!(file.look().is_none());
        // Wrong, then correct again.
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

    /// A climatology with a band for each of the twelve months, for all hours.
    fn climatology() -> String {
        let hours = |month: u32| (0..24).map(move |hour| format!("TA,{month},{hour},-30,30\n"));
        "variable,month,hour,low,high\n".to_owned() + &(1..=12).flat_map(hours).collect::<String>()
    }

    #[test]
    fn a_wrong_file_is_taken_up_when_what_it_names_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text("A") + "[table.columns.TA]\nclimatology = { file = \"usual.csv\", variable = \"TA\", suspect = [\"low\", \"high\"] }\n").unwrap();
        let (mut file, config) = ConfigFile::open(&path);
        assert!(config.is_err());
        assert!(file.look().is_none() && file.look().is_none(), "the reason is the same");
        std::fs::write(folder.path().join("usual.csv"), climatology()).unwrap();
        assert!(file.look().is_none());
        assert_eq!(file.look().unwrap().unwrap().station.name, "A");
    }
}
