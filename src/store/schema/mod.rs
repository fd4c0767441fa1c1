//! The shape of the database: migrations, keys, locks, settings, views for people.
//!
//! A database of an older version is brought to the present one when it is opened for writing, and never the other way.

pub(super) mod beside;
pub(super) mod error;
pub(super) mod key;
pub(super) mod lock;
pub(super) mod migrate;
pub(super) mod settings;
pub(super) mod views;
