//! Care of the database file: copies, upgrades, and recovery of a damaged file.

pub(super) mod copy;
pub(super) mod salvage;
pub(super) mod upgrade;
