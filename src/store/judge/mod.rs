//! Flags of stored rows: which rows wait for a neighbour, what the tests say, flags set by hand.
//!
//! A flag stands beside its value; the value is never changed (I8).

pub(super) mod due;
pub(super) mod flagging;
pub(super) mod judging;
pub(super) mod partners;
pub(super) mod quality;
pub(super) mod scan;
