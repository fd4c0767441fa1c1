//! Text for readers: numbers, durations, sizes, counts that agree, and names that look alike.
//!
//! One spelling for the command line, messages, the page and the report.

mod figures;
mod spelling;
mod terminal;

pub use figures::{bytes, count, grouped, shortened, span, to_add};
pub(crate) use spelling::{any_of, look_alikes};
pub use terminal::{Visible, visible, visible_json, visible_lines};
