//! Counting back out what was sent.
//!
//! A 204 does not prove that a row can be seen (facts: influx-write-contract 2.2, 7.3, 7.4); only a count does. The
//! promise here is that a number is a number: whatever cannot be trusted, an error table inside a 200, a cut answer, a
//! page instead of data, is an error and never 0. Both time bounds stand in every query, because servers put "now" in
//! the place of a missing one.

use std::collections::BTreeMap;

use super::influx::{Influx, Reply};
use super::{answer, flux, influxql};
use crate::config::Api;
use crate::time::Timestamp;

/// Most that is read of the answer to a query.
pub(super) const REPLY_MAX: u64 = 8 * 1024 * 1024;

/// Most fields counted in one query: keeps the query's text, and the server's work, small.
const FIELDS_MAX: usize = 50;

/// What to count: the points of one series in a window.
#[derive(Debug, Clone, Copy)]
pub struct CountAsk<'a> {
    /// None means the destination's own.
    pub bucket: Option<&'a str>,
    /// As sent, see `LineShape::measurement`.
    pub measurement: &'a str,
    /// As sent, see `LineShape::tags`. A series with further tags is counted too.
    pub tags: &'a [(String, String)],
    /// As sent, see `LineShape::field_names`.
    pub fields: &'a [String],
    /// The first instant of the window.
    pub from: Timestamp,
    /// The first instant after the window.
    pub until: Timestamp,
}

/// What the server counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// Values that are there, for each field asked for.
    pub per_field: BTreeMap<String, u64>,
    /// Points with at least one of the fields; none where the language cannot count them.
    pub distinct_times: Option<u64>,
}

/// In which language to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
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
    #[error("the server refuses the question ({words}): {mend}")]
    Refused {
        /// The HTTP status; none if we did not ask.
        status: Option<u16>,
        /// The server's own words.
        words: String,
        /// What to do.
        mend: &'static str,
    },
    /// There was an answer, but it says nothing that can be relied on.
    #[error("the server's answer cannot be relied on: {0}")]
    Unknown(String),
}

impl Influx {
    /// Counts in the language of the configured API.
    ///
    /// # Errors
    /// No answer, a refusal, or an answer that cannot be relied on.
    pub fn count(&self, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
        let language = if self.config.api == Api::V2 { Language::Flux } else { Language::InfluxQl };
        self.count_in(language, ask)
    }

    /// Counts in a language of choice.
    ///
    /// # Errors
    /// As [`Influx::count`].
    pub fn count_in(&self, language: Language, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
        let mut counted = Counted::default();
        if ask.until <= ask.from || ask.fields.is_empty() {
            counted.per_field = ask.fields.iter().map(|field| (field.clone(), 0)).collect();
            counted.distinct_times = Some(0);
            return Ok(counted);
        }
        for fields in ask.fields.chunks(FIELDS_MAX) {
            let part = CountAsk { fields, ..*ask };
            let found = match language {
                Language::Flux => flux::count(self, &part)?,
                Language::InfluxQl => influxql::count(self, &part)?,
            };
            counted.per_field.extend(found.per_field);
            // Times of one chunk may be those of another, so they cannot be added up.
            counted.distinct_times = found.distinct_times.filter(|_| ask.fields.len() <= FIELDS_MAX);
        }
        Ok(counted)
    }

    /// Asks, and passes on only a whole answer with a status of success.
    pub(super) fn ask(&self, request: reqwest::blocking::RequestBuilder) -> Result<Reply, QueryError> {
        let reply = self.exchange(request, REPLY_MAX).map_err(QueryError::Unreachable)?;
        let words = || answer::words(&answer::message(&reply.body));
        let status = if reply.status == 400 && answer::is_unknown_path(&reply.body) { 404 } else { reply.status };
        match status {
            200 | 201 if !reply.is_cut => Ok(reply),
            200 | 201 => Err(QueryError::Unknown("it is too long: ask for a shorter window".to_owned())),
            408 | 429 | 500 | 502..=599 => Err(QueryError::Unreachable(format!("{}: {}", reply.status, words()))),
            401 | 403 => Err(refused(&reply, words(), "give the token read permission too, or a token of its own")),
            404 | 405 | 501 => {
                Err(refused(&reply, words(), "check `api`, `org` and `bucket`; not every product can be asked"))
            }
            _ => Err(QueryError::Unknown(format!("{}: {}", reply.status, words()))),
        }
    }
}

fn refused(reply: &Reply, words: String, mend: &'static str) -> QueryError {
    QueryError::Refused { status: Some(reply.status), words, mend }
}
