//! Parses a field type conflict from the server's message.
//!
//! InfluxDB 1.x, 2.x and Cloud fix the type of a field by its first value (1.x and 2.x separately in each shard). Their
//! messages name the field, the measurement and both types, and they drop only the points that conflict
//! (docs/influx-answers.md#field-type-conflicts).

/// The content of a message about values whose type differs from that of the stored values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeConflict {
    /// The measurement, unescaped.
    pub measurement: String,
    /// The field, unescaped.
    pub field: String,
    /// The type that was sent: `float`, `integer`, `string`, `boolean`.
    pub sent: String,
    /// The type in the bucket.
    pub stored: String,
    /// The number of points of the request that were dropped, in the shard that the message is about.
    pub dropped: Option<usize>,
}

impl TypeConflict {
    pub(super) fn read(text: &str) -> Option<TypeConflict> {
        let rest = text.split_once("input field \"")?.1;
        let (field, rest) = rest.split_once("\" on measurement \"")?;
        let (measurement, rest) = rest.split_once("\" is type ")?;
        let (sent, rest) = rest.split_once(", already exists as type ")?;
        let (stored, rest) = rest.split_at(rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len()));
        let dropped = rest.split_once("dropped=").map(|(_, count)| {
            count.split(|letter: char| !letter.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
        });
        Some(TypeConflict {
            measurement: measurement.to_owned(),
            field: field.to_owned(),
            sent: sent.to_owned(),
            stored: stored.to_owned(),
            dropped: dropped.flatten(),
        })
    }

    /// Whether both are about the same field and the same types.
    pub fn is_same_cause(&self, other: &TypeConflict) -> bool {
        (&self.measurement, &self.field, &self.sent, &self.stored)
            == (&other.measurement, &other.field, &other.sent, &other.stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_read_with_both_types_and_the_count() {
        for (text, dropped) in [
            (
                "failure writing points to database: partial write: field type conflict: input field \"RH\" on measurement \"a b\" is type float, already exists as type integer dropped=12",
                Some(12),
            ),
            (
                "field type conflict: input field \"RH\" on measurement \"a b\" is type float, already exists as type integer",
                None,
            ),
            (
                "partial write: field type conflict: input field \"RH\" on measurement \"a b\" is type float, already exists as type integer dropped=12 for database: x for retention policy: autogen",
                Some(12),
            ),
        ] {
            let found = TypeConflict::read(text).unwrap();
            assert_eq!((found.measurement.as_str(), found.field.as_str()), ("a b", "RH"));
            assert_eq!((found.sent.as_str(), found.stored.as_str(), found.dropped), ("float", "integer", dropped));
        }
        assert_eq!(TypeConflict::read("partial write: points beyond retention policy dropped=1"), None);
    }
}
