//! Views of the data: whatever was kept of it before, they say what the rows say.

mod file;
mod kinds;
mod lives;
mod station;
mod zoom;
