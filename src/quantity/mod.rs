//! What kind of quantity a column holds: the one place that decides how its values are averaged, differenced, summed and drawn.
//!
//! A mean of directions is that of their unit vectors, rain is summed, an extreme stays an extreme. The kind is the
//! configuration's, or follows from the AmeriFlux variable, the process that the data logger states, unit and name.

mod aggregate;
mod companions;
mod kind;
mod process;
mod turbulence;
mod window;

pub use aggregate::{Aggregate, Counter, Sums};
pub use companions::{coverage_of, is_companion, samples_of};
pub use kind::{Drawing, Facts, Kind, Outputs, Stated, direction};
pub use process::Process;
pub use turbulence::{Quick, Scans, Turbulence};
pub use window::{Made, Member, Shape, Window, members};
