//! The delivery side through the program itself, against a stand-in for InfluxDB that misbehaves in every way known.

mod acknowledged;
mod broken_links;
mod conflicts;
mod expected;
mod in_flight;
mod left_points;
mod limits;
mod poison;
mod replay;
mod secrecy;
mod side_by_side;
mod stale;
mod types;
mod waiting;
