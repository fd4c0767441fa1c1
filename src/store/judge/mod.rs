//! Flags of stored rows: rows that need a neighbour, the verdicts of the tests, and flags by hand.
//!
//! A flag is stored beside its value; the value is never changed (I8).

pub(super) mod despiking;
pub(super) mod due;
pub(super) mod flagging;
pub(super) mod judging;
pub(super) mod partners;
pub(super) mod quality;
pub(super) mod scan;
