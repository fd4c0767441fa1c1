//! QC as its users meet it: through files, the store and the program.

mod attack;
mod by_hand;
mod cuts;
mod derived;
mod despike;
mod docs;
mod edge_cases;
mod guards;
mod headers;
mod older_database;
mod rotation;
mod rows;
mod rules;
mod sending;
mod station;
mod week;
