//! Routes requests to buckets that have an organisation, a token or a retention of their own.
//!
//! Each `[[bucket]]` has a client of its own, so that its token is sent only with requests for its bucket (I10).
//! Requests without a bucket, or for one without a section, use the destination's default client.

use std::collections::BTreeMap;

use super::{
    Answer, Beside, BucketLook, CountAsk, Counted, Destination, DestinationError, Influx, QueryError, Removal, Request,
    SeriesAsk, StoredValue, ValuesAsk,
};
use crate::config::InfluxConfig;

/// Chooses the client by the bucket.
pub(super) struct Router {
    own: Influx,
    special: BTreeMap<String, Influx>,
}

impl Router {
    /// Reads every secret; does not connect.
    ///
    /// # Errors
    /// As for [`Influx::open`].
    pub(super) fn open(config: &InfluxConfig) -> Result<Router, DestinationError> {
        let mut special = BTreeMap::new();
        for bucket in &config.buckets {
            special.insert(bucket.name.clone(), Influx::open(&config.of_bucket(Some(&bucket.name)))?);
        }
        Ok(Router { own: Influx::open(&config.of_bucket(None))?, special })
    }

    fn of(&mut self, bucket: Option<&str>) -> &mut Influx {
        match bucket.and_then(|bucket| self.special.get_mut(bucket)) {
            Some(special) => special,
            None => &mut self.own,
        }
    }
}

impl Destination for Router {
    fn name(&self) -> String {
        self.own.name()
    }

    fn describe(&self, bucket: Option<&str>) -> String {
        bucket.and_then(|bucket| self.special.get(bucket)).unwrap_or(&self.own).describe(bucket)
    }

    fn may_write(&mut self, bucket: Option<&str>) -> Result<Option<Answer>, DestinationError> {
        self.of(bucket).may_write(bucket)
    }

    fn write(&mut self, request: &Request<'_>) -> Result<Answer, DestinationError> {
        self.of(request.bucket).write(request)
    }

    fn another(&self) -> Option<Box<dyn Destination>> {
        let special = self.special.iter().map(|(name, client)| (name.clone(), client.copy())).collect();
        Some(Box::new(Router { own: self.own.copy(), special }))
    }

    fn wants_gzip(&self) -> bool {
        self.own.wants_gzip()
    }

    fn look(&mut self, bucket: Option<&str>) -> BucketLook {
        self.of(bucket).look(bucket)
    }

    fn count(&mut self, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
        Destination::count(self.of(ask.series.bucket), ask)
    }

    fn values(&mut self, ask: &ValuesAsk<'_>) -> Result<Vec<StoredValue>, QueryError> {
        Destination::values(self.of(ask.series.bucket), ask)
    }

    fn removal(&self) -> Removal {
        self.own.removal()
    }

    fn may_remove(&mut self, bucket: Option<&str>) -> Result<(), QueryError> {
        self.of(bucket).may_remove(bucket)
    }

    fn beside(&mut self, ask: &SeriesAsk<'_>) -> Result<Beside, QueryError> {
        self.of(ask.bucket).beside(ask)
    }

    fn remove(&mut self, ask: &SeriesAsk<'_>, tag_keys: &[String]) -> Result<(), QueryError> {
        self.of(ask.bucket).remove(ask, tag_keys)
    }

    fn can_be_asked(&self) -> bool {
        self.own.can_be_asked()
    }
}
