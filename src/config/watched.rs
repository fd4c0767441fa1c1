//! A configuration file that is looked at while the program stays up, as by `run --watch` and `serve`.
//!
//! A change is decided about once it has been the same for two looks, because an editor may write a file in pieces. While the
//! file is wrong, it is read anew at each look: what it names, such as a file of limits, may have been put right without a
//! change of its own text.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Config, ConfigError};

/// The file, and what was last decided about it.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    /// The fingerprint of the configuration, or of the reason against it.
    decided: u64,
    /// Seen once.
    candidate: Option<u64>,
}

impl ConfigFile {
    /// From one look at the file to the next.
    pub const LOOK: Duration = Duration::from_secs(1);

    /// The file of a configuration that is in force.
    pub fn of(config: &Config) -> ConfigFile {
        ConfigFile { path: config.path.clone(), decided: config.fingerprint, candidate: None }
    }

    /// The file at `path`, and what it says now, which is thereby decided about.
    pub fn open(path: &Path) -> (ConfigFile, Result<Config, ConfigError>) {
        let config = Config::load(path);
        (ConfigFile { path: path.to_owned(), decided: seen(&config), candidate: None }, config)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file, as it was decided about last, is this configuration.
    pub fn is(&self, config: &Config) -> bool {
        self.decided == config.fingerprint
    }

    /// A change that is to be decided about.
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

    /// A band for each of the twelve months, all day.
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
