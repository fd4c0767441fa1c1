//! What AmeriFlux and instrument makers publish: variables, their units and ranges, and diagnostic words.
//!
//! Facts only, each with its source; nothing here knows a configuration or a store. [`crate::qc`] judges with them, the
//! configuration and `init` look variables up here, so that a flag of ours means what theirs means.

mod diagnostic;
mod range;
pub mod unit;
pub mod upload;
mod variable;

pub use diagnostic::{Decoded, Instrument};
pub use range::{MeasuredOver, Range, Ranges};
pub use variable::{Variable, lookup, near, vertical};
