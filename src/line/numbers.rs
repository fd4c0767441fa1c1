//! The numbers in the lines of a series, for the comparison with the bucket.

use super::LineShape;
use super::cells::Cells;
use super::typed::typed;

impl LineShape {
    /// Passes each field that [`LineShape::render`] would send for this row to `take`: its index in
    /// [`LineShape::sent_names`], and its number; NaN for a value that is not a number in the bucket, such as a text or
    /// a truth value. A row that cannot be rendered has no fields.
    pub fn sent_numbers(&self, values: &str, flags: &str, mut take: impl FnMut(usize, f64)) {
        let Ok(mut cells) = Cells::new(values) else { return };
        let digit = |flag: &u8| f64::from(flag.saturating_sub(b'0'));
        let mut has_value = false;
        // Each field has two indices, whether its flag is sent or not.
        let mut place = 0;
        for (column, flag) in self.fields.iter().zip(flags.as_bytes()) {
            let Ok(Some(cell)) = cells.next() else { break };
            let Some(field) = column else { continue };
            let value = typed(field.value_type, cell);
            if field.sends_value(*flag) && value.is_sent() {
                has_value = true;
                take(place, value.number());
            }
            if field.flag_is_sent {
                take(place + 1, digit(flag));
            }
            place += 2;
        }
        if !has_value {
            for (place, field, flag) in self.flags_of_empty_row(values, flags.as_bytes()) {
                // The others were passed to `take` above.
                if !field.flag_is_sent {
                    take(2 * place + 1, digit(&flag));
                }
            }
        }
    }
}
