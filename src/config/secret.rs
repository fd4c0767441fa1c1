//! Secrets are named in the configuration, read at each use, and never kept (I10).
//!
//! A [`Secret`] holds only the name of an environment variable or of a file, so printing it reveals no secret. The text
//! that [`Secret::read`] returns is used for one request header and nothing else. No error here quotes content.

use std::path::PathBuf;

/// The place of a token or password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// The name of an environment variable.
    Env(String),
    /// A file whose only line is the secret.
    File(PathBuf),
}

/// Why a secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set for this process.
    #[error(
        "the environment variable {name} is not set; on Windows run `setx {name} \"...\"` as the user that runs \
         the task (or with /M as administrator) and restart the task, elsewhere `export {name}=...`"
    )]
    NotSet {
        /// The name of the variable.
        name: String,
    },
    /// The file cannot be read.
    #[error(
        "{} cannot be read ({source}); write the secret into it, and let only the user that runs fluxtower read it",
        path.display()
    )]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// The path is a pipe, a device or a folder, which may block or have no end.
    #[error("{} is no regular file; write the secret into a file of its own", path.display())]
    NotRegular {
        /// The path as configured.
        path: PathBuf,
    },
    /// The variable or file is empty.
    #[error("{place} is empty; put the secret there")]
    Empty {
        /// The variable or file.
        place: String,
    },
    /// The content is not exactly one line of UTF-8.
    #[error("{place} does not hold one line of plain text; save the secret alone, on one line, as UTF-8")]
    NotOneLine {
        /// The variable or file.
        place: String,
    },
}

impl Secret {
    /// The secret, without line end and byte-order mark. It is read again at each call, so that a changed token is used
    /// without a restart.
    ///
    /// # Errors
    /// [`SecretError`] if the place does not exist, is empty, or is not one line of text. The message never holds
    /// content.
    pub fn read(&self) -> Result<String, SecretError> {
        let bytes = match self {
            Secret::Env(name) => match std::env::var_os(name) {
                Some(text) => {
                    text.into_string().map_err(|_| SecretError::NotOneLine { place: self.describe() })?.into_bytes()
                }
                None => return Err(SecretError::NotSet { name: name.clone() }),
            },
            Secret::File(path) => {
                let unreadable = |source| SecretError::Unreadable { path: path.clone(), source };
                if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
                    return Err(SecretError::NotRegular { path: path.clone() });
                }
                std::fs::read(path).map_err(unreadable)?
            }
        };
        let text = String::from_utf8(bytes).map_err(|_| SecretError::NotOneLine { place: self.describe() })?;
        let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() {
            return Err(SecretError::Empty { place: self.describe() });
        }
        if text.chars().any(char::is_control) {
            return Err(SecretError::NotOneLine { place: self.describe() });
        }
        Ok(text.to_owned())
    }

    /// The place of the secret, for messages.
    pub fn describe(&self) -> String {
        match self {
            Secret::Env(name) => format!("the environment variable {name}"),
            Secret::File(path) => format!("the file {}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, Secret) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.txt");
        std::fs::write(&path, content).unwrap();
        (folder, Secret::File(path))
    }

    #[test]
    fn a_line_end_and_a_byte_order_mark_do_not_belong_to_the_secret() {
        for content in ["s3cret==", "s3cret==\n", "s3cret==\r\n", "\u{feff}s3cret==\r\n"] {
            assert_eq!(file(content.as_bytes()).1.read().unwrap(), "s3cret==");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_a_folder_in_place_of_a_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("token.txt");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&pipe, &folder.path().to_owned(), &PathBuf::from("/dev/zero")] {
            let message = Secret::File(path.clone()).read().unwrap_err().to_string();
            assert!(message.contains("is no regular file"), "{message}");
        }
    }

    #[test]
    fn an_empty_file_is_an_error_that_names_it() {
        for content in ["", "\r\n", "  \n"] {
            let message = file(content.as_bytes()).1.read().unwrap_err().to_string();
            assert!(message.contains("token.txt is empty"), "{message}");
        }
    }

    #[test]
    fn i10_no_error_shows_content() {
        for content in [&b"s3cret\ns3cret"[..], b"\xff\xfes\x003\x00c\x00r\x00e\x00t\x00", b"s3cret\tx\n"] {
            let (_folder, secret) = file(content);
            let error = secret.read().unwrap_err();
            assert!(!format!("{error} {error:?} {secret:?} {}", secret.describe()).contains("s3cret"));
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named_with_the_command_that_sets_it() {
        let message = Secret::Env("FLUXTOWER_TEST_NOT_SET".to_owned()).read().unwrap_err().to_string();
        assert!(
            message.contains("setx FLUXTOWER_TEST_NOT_SET") && message.contains("export FLUXTOWER_TEST_NOT_SET"),
            "{message}"
        );
    }

    #[test]
    fn a_variable_that_is_set_is_read() {
        assert!(!Secret::Env("PATH".to_owned()).read().unwrap().is_empty());
    }
}
