//! The schema of the database: migrations, keys, locks, settings, views for users.
//!
//! A database of an older version is migrated when it is opened for writing; a newer one is refused.

pub(super) mod beside;
pub(super) mod error;
pub(super) mod key;
pub(super) mod lock;
pub(super) mod migrate;
pub(super) mod settings;
pub(super) mod views;
