//! The kind of quantity of a column. Only this module decides how values are averaged, subtracted, summed and drawn.
//!
//! Directions are averaged as unit vectors, rain is summed, and of extremes the extreme is taken. The kind is
//! configured, or follows from the AmeriFlux variable, the process that the data logger states, unit and name.

mod aggregate;
mod companions;
mod kind;
mod member;
mod named;
mod process;
mod turbulence;
mod window;

pub use aggregate::{Aggregate, Counter, Sums};
pub use companions::{coverage_of, is_companion, samples_of};
pub use kind::{CIRCLE, Drawing, Facts, Kind, Outputs, Stated, direction};
pub use member::{Member, members};
pub use named::{RAIN, RAIN_BEGINS, WIND_SPEED, joined_parts};
pub use process::Process;
pub use turbulence::{Quick, Scans, Turbulence};
pub use window::{Made, Shape, Window};
