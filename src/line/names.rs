//! The names in the lines of a series as they are sent: measurements, tags, fields and their flags.

use super::LineShape;
use super::typed::is_number;

impl LineShape {
    /// The measurement as it is sent, unescaped; the first one if there are several.
    pub fn measurement(&self) -> &str {
        self.parts.first().map_or("", |part| &part.measurement)
    }

    /// Every measurement with the number of its value fields, in the order of [`LineShape::field_names`].
    pub fn measurements(&self) -> impl Iterator<Item = (&str, usize)> {
        self.parts.iter().map(|part| (part.measurement.as_str(), part.fields))
    }

    /// The names of the value fields as they are sent, unescaped, in the order of the columns.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().flatten().map(|field| field.name.as_str())
    }

    /// Like [`LineShape::field_names`], each followed by the name of its flag.
    pub fn sent_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().flatten().flat_map(|field| [field.name.as_str(), field.flag_name.as_str()])
    }

    /// What the lines carry of each field column, in the order of the columns.
    pub fn carried(&self) -> impl Iterator<Item = Carried<'_>> {
        self.fields.iter().enumerate().filter_map(|(place, field)| {
            let field = field.as_ref()?;
            Some(Carried {
                place,
                name: &field.name,
                flag_is_sent: field.flag_is_sent,
                fails_are_withheld: field.fails_are_withheld,
            })
        })
    }

    /// The names in [`LineShape::sent_names`] whose values cannot be added up.
    pub fn names_without_sum(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().flatten().filter(|field| !is_number(field.value_type)).map(|field| field.name.as_str())
    }

    /// The tags as they are sent, unescaped, sorted by the bytes of their keys; no value is empty.
    pub fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
}

/// What lines carry of one field column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried<'a> {
    /// The position in the column list.
    pub place: usize,
    /// The value field's name as it is sent, unescaped.
    pub name: &'a str,
    /// Whether its flag is sent.
    pub flag_is_sent: bool,
    /// Whether a failed value is not sent.
    pub fails_are_withheld: bool,
}
