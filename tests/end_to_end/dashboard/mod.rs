//! `fluxtower dashboard`: what Grafana is given is whole, quotes every name, and shows all that the earlier dashboard showed.
//!
//! Here the JSON is looked at as it is. `tests/grafana/validate` holds it against the types that Grafana publishes, and
//! `tests/real_servers` runs every query of it on InfluxDB 1.6.

mod alerts;
mod command;
mod earlier;
mod made;
mod names;
mod sql;
mod structure;
