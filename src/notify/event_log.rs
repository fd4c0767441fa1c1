//! The event log of Windows as a receiver, for users who monitor many PCs by their event logs.
//!
//! Events have the source `fluxtower` in the log "Application". For their ids, Windows' own EventCreate.exe has a text
//! that consists of the message only; the installer registers it for this source. Without it, the Event Viewer shows
//! the message after a sentence about a missing description.

use super::error::NotifyError;
use super::message::{Message, Weight};

/// Adds one event with the whole message.
pub(super) fn write(message: &Message) -> Result<(), NotifyError> {
    system::write(message.weight, &message.text())
}

/// The event id: 1 good, 2 a warning, 3 a problem.
#[cfg(any(windows, test))]
fn number(weight: Weight) -> u32 {
    match weight {
        Weight::Good | Weight::Test => 1,
        Weight::Warning => 2,
        Weight::Problem => 3,
    }
}

#[cfg(windows)]
mod system {
    use tracing_layer_win_eventlog::EventLogLayer;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::{NotifyError, Weight, number};

    const SOURCE: &str = "fluxtower";

    pub(super) fn write(weight: Weight, text: &str) -> Result<(), NotifyError> {
        let layer = EventLogLayer::new_with_default_id(SOURCE, Some(number(weight)))
            .map_err(|error| NotifyError::EventLog { problem: error.to_string() })?;
        // Only for this thread and this event: other messages of the program are in its own log.
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || match weight {
            Weight::Good | Weight::Test => tracing::info!("{text}"),
            Weight::Warning => tracing::warn!("{text}"),
            Weight::Problem => tracing::error!("{text}"),
        });
        Ok(())
    }
}

#[cfg(not(windows))]
mod system {
    use super::{NotifyError, Weight};

    pub(super) fn write(_: Weight, _: &str) -> Result<(), NotifyError> {
        Err(NotifyError::EventLog { problem: "only Windows has one; take event_log out of [notify]".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_how_much_an_event_asks_and_is_one_that_windows_has_a_text_for() {
        let numbers = [Weight::Good, Weight::Test, Weight::Warning, Weight::Problem].map(number);
        assert_eq!(numbers, [1, 1, 2, 3]);
    }
}
