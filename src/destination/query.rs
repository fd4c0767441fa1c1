//! Reading back out what was sent: counts and sums of a series, and its values.
//!
//! A 204 does not prove that a row can be seen (docs/influx-answers.md#a-204-is-not-the-end); only the server's own answer
//! does. The promise here is that a number is a number of exactly this series: whatever cannot be trusted, an error table
//! inside a 200, a cut answer, a page instead of data, is an error and never 0; and a series is its measurement and its whole
//! tag set, so that points of a series with further tags are never counted for it. Both time bounds stand in every query,
//! because servers put "now" in the place of a missing one.

use std::collections::{BTreeMap, BTreeSet};

use super::influx::{Influx, Reply};
use super::{answer, flux, influxql};
use crate::config::Api;
use crate::time::{Interval, Timestamp};

/// Most that is read of the answer to a query.
pub(super) const REPLY_MAX: u64 = 8 * 1024 * 1024;

/// Most fields counted in one query: keeps the query's text, and the server's work, small.
const FIELDS_MAX: usize = 50;

/// One series in an interval of time: what is counted, read or removed.
#[derive(Debug, Clone, Copy)]
pub struct SeriesAsk<'a> {
    /// None means the destination's own.
    pub bucket: Option<&'a str>,
    /// As sent, see `LineShape::measurement`.
    pub measurement: &'a str,
    /// As sent, see `LineShape::tags`: the whole tag set, none of them empty.
    pub tags: &'a [(String, String)],
    /// When.
    pub interval: Interval,
}

impl SeriesAsk<'_> {
    /// Whether a series of the answer is this one, by its tags; an empty tag is none. Keys of other tags that it has are
    /// added to `others`.
    pub(super) fn is_whole_set<'t>(
        &self,
        found: impl Iterator<Item = (&'t str, &'t str)>,
        others: &mut BTreeSet<String>,
    ) -> bool {
        let mut same = 0;
        let mut differs = false;
        for (key, value) in found.filter(|(_, value)| !value.is_empty()) {
            match self.tags.iter().find(|(own, _)| own == key) {
                Some((_, own)) if own == value => same += 1,
                Some(_) => differs = true,
                None => {
                    others.insert(key.to_owned());
                    differs = true;
                }
            }
        }
        !differs && same == self.tags.len()
    }
}

/// What to count.
#[derive(Debug, Clone, Copy)]
pub struct CountAsk<'a> {
    /// Of which series, and when.
    pub series: SeriesAsk<'a>,
    /// As sent: values and flags.
    pub fields: &'a [String],
    /// Those of them whose values cannot be added up; their sum is 0.
    pub without_sum: &'a BTreeSet<String>,
}

/// How many values of a field there are, and what they add up to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Values that are there.
    pub count: u64,
    /// Their sum, added in the order of time; 0 where there is none.
    pub sum: f64,
}

/// What the server counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counted {
    /// For each field asked for.
    pub per_field: BTreeMap<String, Tally>,
    /// Keys of tags that other series of the measurement have beside the ones asked for.
    pub other_tags: BTreeSet<String>,
}

/// Which values to read.
#[derive(Debug, Clone, Copy)]
pub struct ValuesAsk<'a> {
    /// Of which series, and when.
    pub series: SeriesAsk<'a>,
    /// Tags that the series does not have, although others of its measurement do: [`Counted::other_tags`].
    pub without: &'a BTreeSet<String>,
    /// As sent.
    pub field: &'a str,
}

/// A value as the server holds it: time and number; none for what is no number.
pub type StoredValue = (Timestamp, Option<f64>);

/// In which language to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// InfluxDB 2.x and Cloud (TSM).
    Flux,
    /// InfluxDB 1.x and 3, and 2.x where a DBRP mapping leads to the bucket.
    InfluxQl,
}

/// Why there is no answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The network or the server is not ready; later it may be.
    #[error("the server cannot be asked now: {0}")]
    Unreachable(String),
    /// The server does not let us ask, or does not know the question.
    #[error("the server refuses the question ({message}): {fix}")]
    Refused {
        /// The HTTP status; none if we did not ask.
        status: Option<u16>,
        /// The server's own message.
        message: String,
        /// What to do.
        fix: &'static str,
    },
    /// There was an answer, but it says nothing that can be relied on.
    #[error("the server's answer cannot be relied on: {0}")]
    Unknown(String),
}

impl QueryError {
    /// Whether the server refuses to be asked, so that further questions are no use.
    pub fn is_refusal(&self) -> bool {
        matches!(self, QueryError::Refused { .. })
    }
}

impl Influx {
    /// In the language of the configured API.
    fn language(&self) -> Language {
        if self.config.api == Api::V2 { Language::Flux } else { Language::InfluxQl }
    }

    /// Counts and adds up.
    ///
    /// # Errors
    /// No answer, a refusal, or an answer that cannot be relied on.
    pub fn count(&self, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
        let mut counted = Counted::default();
        if ask.series.interval.is_empty() {
            counted.per_field = ask.fields.iter().map(|field| (field.clone(), Tally::default())).collect();
            return Ok(counted);
        }
        for fields in ask.fields.chunks(FIELDS_MAX) {
            let part = CountAsk { fields, ..*ask };
            let found = match self.language() {
                Language::Flux => flux::count(self, &part)?,
                Language::InfluxQl => influxql::count(self, &part)?,
            };
            counted.per_field.extend(found.per_field);
            counted.other_tags.extend(found.other_tags);
        }
        Ok(counted)
    }

    /// The values of one field, oldest first.
    ///
    /// # Errors
    /// As [`Influx::count`].
    pub fn values(&self, ask: &ValuesAsk<'_>) -> Result<Vec<StoredValue>, QueryError> {
        if ask.series.interval.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = match self.language() {
            Language::Flux => flux::values(self, ask)?,
            Language::InfluxQl => influxql::values(self, ask)?,
        };
        values.sort_by_key(|(at, _)| *at);
        Ok(values)
    }

    /// Asks, and passes on only a whole answer with a status of success.
    pub(super) fn ask(&self, request: reqwest::blocking::RequestBuilder) -> Result<Reply, QueryError> {
        let reply = self.exchange(request, REPLY_MAX).map_err(QueryError::Unreachable)?;
        let message = || answer::cleaned(&answer::message(&reply.body));
        let status = if reply.status == 400 && answer::is_unknown_path(&reply.body) { 404 } else { reply.status };
        match status {
            200 | 201 if !reply.is_cut => Ok(reply),
            200 | 201 => Err(QueryError::Unknown("it is too long: ask for a shorter window".to_owned())),
            408 | 429 | 500 | 502..=599 => Err(QueryError::Unreachable(format!("{}: {}", reply.status, message()))),
            401 | 403 => Err(refused(&reply, message(), "give the token read permission too, or a token of its own")),
            404 | 405 | 501 => {
                Err(refused(&reply, message(), "check `api`, `org` and `bucket`; not every product can be asked"))
            }
            _ => Err(QueryError::Unknown(format!("{}: {}", reply.status, message()))),
        }
    }
}

fn refused(reply: &Reply, message: String, fix: &'static str) -> QueryError {
    QueryError::Refused { status: Some(reply.status), message, fix }
}
