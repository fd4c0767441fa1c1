//! `serve` and `report`, driven through the binary: what they answer, whom they refuse, and what they leave alone.

mod answers;
mod beside;
pub mod client;
mod configurations;
mod flood;
mod hostile;
mod life;
mod report;
mod station;
