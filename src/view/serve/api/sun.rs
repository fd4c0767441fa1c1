//! The nights, which drawings shade.

use std::time::Duration;

use serde::Serialize;

use super::Millis;
use crate::config::Config;
use crate::sun::nights;
use crate::time::{Timestamp, nanos};
use crate::view::serve::error::ApiError;

/// The longest span of a request; the answer then takes some tens of milliseconds.
const MOST_DAYS: u64 = 4_000;

/// The nights, from sunset to sunrise.
#[derive(Debug, Serialize)]
pub struct Sun {
    /// Null if the configuration does not give the station's position.
    nights: Option<Vec<(Millis, Millis)>>,
}

pub(super) fn answer(config: &Config, (from, to): (Timestamp, Timestamp)) -> Result<Sun, ApiError> {
    let Some(position) = config.station.position else { return Ok(Sun { nights: None }) };
    if to.nanos_since(from) > nanos(Duration::from_secs(MOST_DAYS * 86_400)) {
        return Err(ApiError::Question(format!("more than {MOST_DAYS} days of nights; request fewer at once")));
    }
    let nights = nights(position, from, to).into_iter().map(|(sunset, sunrise)| (Millis(sunset), Millis(sunrise)));
    Ok(Sun { nights: Some(nights.collect()) })
}
