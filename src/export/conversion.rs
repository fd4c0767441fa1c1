//! Converts values to the unit of their AmeriFlux variable.
//!
//! The header of a row states the unit of its values. If it is another unit of the same dimension, the exported value
//! is converted. If it cannot be the variable's unit, or is not known, the value is left out, because a number in
//! another unit under the variable's name would be wrong data. The stored and sent value is never changed.

use std::collections::{BTreeSet, HashMap};

use crate::ameriflux::{self, unit};
use crate::config::{ColumnConfig, TableConfig};
use crate::quantity::Stated;
use crate::store::{Column, Store, StoreError, StoredRow};

/// How the values of a column are exported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Convert {
    /// Unconverted.
    No,
    /// Converted.
    By(unit::Conversion),
    /// Left out.
    LeftOut,
}

impl Convert {
    /// Converts a number in the logger's notation to the variable's unit, with seven digits; None if it is left out.
    pub(super) fn apply(self, text: &str) -> Option<String> {
        match self {
            Convert::No => Some(text.to_owned()),
            Convert::LeftOut => None,
            Convert::By(conversion) => {
                let value = conversion.of(text.parse::<f64>().ok()?);
                let rounded: f64 = format!("{value:.6e}").parse().ok()?;
                rounded.is_finite().then(|| rounded.to_string())
            }
        }
    }
}

/// The conversions of some columns of a table.
#[derive(Debug)]
pub(super) struct Conversions {
    /// The conversions by the column list.
    usual: Vec<Convert>,
    /// The conversions for headers that state another unit, by header id.
    by_header: HashMap<i64, Vec<Convert>>,
    /// One sentence for each column that is left out, wholly or of a part of the rows.
    left_out: Vec<String>,
}

impl Conversions {
    /// The conversions for the columns at these positions of the column list.
    pub(super) fn of(store: &Store, table: &TableConfig, places: &[usize]) -> Result<Conversions, StoreError> {
        let columns = store.columns_of(&table.name.0)?;
        let columns: Vec<&Column> = places.iter().filter_map(|place| columns.get(*place)).collect();
        let stated: Vec<Stated<'_>> = columns.iter().map(|column| column.stated_in(table)).collect();
        let mut reasons = BTreeSet::new();
        let usual = conversions(table, &stated, &mut reasons);
        let mut by_header = HashMap::new();
        for (id, header) in store.headers_of(&table.name.0)? {
            let own: Vec<Stated<'_>> =
                stated.iter().map(|column| header.stated(column.name).unwrap_or(*column)).collect();
            if own != stated {
                by_header.insert(id, conversions(table, &own, &mut reasons));
            }
        }
        let mut found = Conversions { usual, by_header, left_out: Vec::new() };
        for (column, reason) in reasons {
            let name = stated[column].name;
            let of = if found.is_left_out(column) { "" } else { " of a part of the rows, which have -9999" };
            found.left_out.push(format!("column {name} is left out{of}: {reason}"));
        }
        Ok(found)
    }

    /// Whether no row has a value of the column at this place of the positions.
    pub(super) fn is_left_out(&self, column: usize) -> bool {
        let mut all = std::iter::once(&self.usual).chain(self.by_header.values());
        all.all(|of| of.get(column) == Some(&Convert::LeftOut))
    }

    /// The conversions for a row, in the order of the positions.
    pub(super) fn of_row(&self, row: &StoredRow) -> &[Convert] {
        row.header.and_then(|header| self.by_header.get(&header)).unwrap_or(&self.usual)
    }

    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

/// The conversions of the columns; a reason for each that is left out, by its place.
fn conversions(table: &TableConfig, stated: &[Stated<'_>], reasons: &mut BTreeSet<(usize, String)>) -> Vec<Convert> {
    let convert = |(at, column): (usize, &Stated<'_>)| {
        let own = table.columns.get(column.name);
        let variable = own.and_then(|own| own.variable.as_deref());
        if own.is_some_and(ColumnConfig::is_counter) {
            let variable = variable.unwrap_or_default();
            reasons.insert((at, format!("it is a counter, whose readings are no {variable} of an interval")));
            return Convert::LeftOut;
        }
        match variable.and_then(ameriflux::lookup).map(|variable| unit::fit(column.unit, variable)) {
            None | Some(unit::Fit::AsIs) => Convert::No,
            Some(unit::Fit::Converted(conversion)) => Convert::By(conversion),
            Some(unit::Fit::Unfit { reason }) => {
                reasons.insert((at, reason));
                Convert::LeftOut
            }
        }
    };
    stated.iter().enumerate().map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_converted_to_seven_digits_and_kept_in_its_spelling_otherwise() {
        let inches = Convert::By(unit::Conversion { factor: 25.4, offset: 0.0 });
        let fahrenheit = Convert::By(unit::Conversion { factor: 5.0 / 9.0, offset: -160.0 / 9.0 });
        for (convert, text, written) in [
            (inches, "0.01", Some("0.254")),
            (inches, "1", Some("25.4")),
            (fahrenheit, "32", Some("0")),
            (fahrenheit, "68", Some("20")),
            (Convert::No, "1.50", Some("1.50")),
            (Convert::LeftOut, "1", None),
        ] {
            let found = convert.apply(text);
            let is_zero =
                written == Some("0") && found.as_deref().is_some_and(|text| text.parse::<f64>().unwrap().abs() < 1e-9);
            assert!(is_zero || found.as_deref() == written, "{text}: {found:?}");
        }
    }
}
