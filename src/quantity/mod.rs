//! What kind of quantity a column holds: the one place that decides how its values are put together.

mod process;

pub use process::Process;
