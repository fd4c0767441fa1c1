//! QC as its users meet it: through files, the store and the program.

mod attack;
mod by_hand;
mod cuts;
mod derived;
mod docs;
mod odd;
mod older;
mod rows;
mod sending;
mod station;
mod week;
