//! Text for users: numbers, durations, sizes, counts with their nouns, and similar names.
//!
//! The command line, messages, the page and the report use the same forms.

mod figures;
mod signs;
mod spelling;
mod terminal;

pub use figures::{bytes, count, grouped, shortened, span, span_of, to_add};
pub use signs::with_plain_signs;
pub(crate) use spelling::{any_of, look_alikes};
pub use terminal::{Visible, visible, visible_json, visible_lines};
