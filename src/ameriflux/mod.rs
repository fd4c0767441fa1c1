//! What AmeriFlux and instrument makers publish: variables, their units and ranges, and diagnostic words.
//!
//! This module holds only facts, each with its source, and uses neither configuration nor store. [`crate::qc`] judges
//! values by them. The configuration and `init` look variables up here, so that a flag means the same as a flag of
//! AmeriFlux.

mod diagnostic;
mod range;
pub mod unit;
pub mod upload;
mod variable;

pub use diagnostic::{Decoded, Instrument};
pub use range::{MeasuredOver, Range, Ranges};
pub use variable::{Variable, lookup, near, vertical};
