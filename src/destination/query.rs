//! Reads back what was sent: counts and sums of a series, and its values.
//!
//! A 204 does not prove that a row can be read (docs/influx-answers.md#a-204-is-not-the-end); only the server's answer
//! to a query does. A returned number is always a number of exactly this series. Whatever is not reliable (an error
//! table inside a 200, a truncated answer, a page instead of data) is an error and never 0. A series is its measurement
//! and its whole tag set, so points of a series with further tags are never counted for it. Every query has both time
//! bounds, because servers replace a missing one by "now".

use std::collections::{BTreeMap, BTreeSet};

use super::influx::{Influx, Reply};
use super::{answer, flux, influxql};
use crate::config::Api;
use crate::time::{Interval, Timestamp};

/// The most bytes that are read of the answer to a query.
pub(super) const REPLY_MAX: u64 = 8 * 1024 * 1024;

/// The most fields in one query: limits the text of the query and the server's work.
const FIELDS_MAX: usize = 50;

/// One series in an interval of time, to be counted, read or removed.
#[derive(Debug, Clone, Copy)]
pub struct SeriesAsk<'a> {
    /// The bucket; None is the destination's default.
    pub bucket: Option<&'a str>,
    /// The measurement as it is sent; see `LineShape::measurement`.
    pub measurement: &'a str,
    /// The whole tag set as it is sent, without empty values; see `LineShape::tags`.
    pub tags: &'a [(String, String)],
    /// The interval of time.
    pub interval: Interval,
}

impl SeriesAsk<'_> {
    /// Whether a series of the answer is this one, by its tags; an empty tag counts as absent. Keys of other tags that
    /// it has are added to `others`.
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

/// A question for counts.
#[derive(Debug, Clone, Copy)]
pub struct CountAsk<'a> {
    /// The series and the interval.
    pub series: SeriesAsk<'a>,
    /// The fields as they are sent: values and flags.
    pub fields: &'a [String],
    /// Those fields whose values cannot be added up; their sum is 0.
    pub without_sum: &'a BTreeSet<String>,
}

/// The number of values of a field, and their sum.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// The number of values.
    pub count: u64,
    /// Their sum, added in the order of time; 0 without values.
    pub sum: f64,
}

/// The result of a count.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counted {
    /// The result for each requested field.
    pub per_field: BTreeMap<String, Tally>,
    /// Keys of tags that only other series of the measurement have.
    pub other_tags: BTreeSet<String>,
}

/// A question for values.
#[derive(Debug, Clone, Copy)]
pub struct ValuesAsk<'a> {
    /// The series and the interval.
    pub series: SeriesAsk<'a>,
    /// Tags that the series does not have, although others of its measurement do: [`Counted::other_tags`].
    pub without: &'a BTreeSet<String>,
    /// The field as it is sent.
    pub field: &'a str,
}

/// A value in the server: its time and number; None if it is not a number.
pub type StoredValue = (Timestamp, Option<f64>);

/// The query language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// InfluxDB 2.x and Cloud (TSM).
    Flux,
    /// InfluxDB 1.x and 3, and 2.x if a DBRP mapping leads to the bucket.
    InfluxQl,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The network or the server is not ready now.
    #[error("the server cannot be asked now: {0}")]
    Unreachable(String),
    /// The server does not allow the query, or does not support it.
    #[error("the server refuses the question ({message}): {fix}")]
    Refused {
        /// The HTTP status; None if no request was made.
        status: Option<u16>,
        /// The server's own message.
        message: String,
        /// What to do.
        fix: &'static str,
    },
    /// There was an answer, but it is not reliable.
    #[error("the server's answer cannot be relied on: {0}")]
    Unknown(String),
}

impl QueryError {
    /// Whether the server refuses queries, so that further queries are useless.
    pub fn is_refusal(&self) -> bool {
        matches!(self, QueryError::Refused { .. })
    }
}

impl Influx {
    /// The language of the configured API.
    fn language(&self) -> Language {
        if self.config.api == Api::V2 { Language::Flux } else { Language::InfluxQl }
    }

    /// Counts the values and adds them up.
    ///
    /// # Errors
    /// There is no answer, a refusal, or an answer that is not reliable.
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

    /// Reads the values of one field, oldest first.
    ///
    /// # Errors
    /// As for [`Influx::count`].
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

    /// Sends the query, and returns only a complete answer with a success status.
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
