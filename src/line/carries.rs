//! Checks whether one of our lines has a field: a server that refuses a field names the field, but not the lines with
//! it.

/// Whether the line, without its line end, has this measurement and this field. Both names are unescaped.
pub fn carries(line: &[u8], measurement: &str, field: &str) -> bool {
    let (name, rest) = token(line, b", ");
    if name != measurement.as_bytes() {
        return false;
    }
    let mut rest = rest;
    while rest.first() == Some(&b',') {
        rest = token(&rest[1..], b", ").1;
    }
    while let [b' ' | b',', fields @ ..] = rest {
        let (key, value) = token(fields, b"= ");
        if value.first() != Some(&b'=') {
            return false;
        }
        if key == field.as_bytes() {
            return true;
        }
        rest = behind_value(&value[1..]);
        if rest.first() == Some(&b' ') {
            return false;
        }
    }
    false
}

/// The text up to the first unescaped byte of `ends`, unescaped, and the rest from that byte on.
fn token<'a>(text: &'a [u8], ends: &[u8]) -> (Vec<u8>, &'a [u8]) {
    let mut name = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if ends.contains(&byte) {
            break;
        }
        // Our names contain no backslashes other than those of escapes.
        if byte == b'\\'
            && let Some(&escaped) = text.get(at + 1)
        {
            name.push(escaped);
            at += 2;
            continue;
        }
        name.push(byte);
        at += 1;
    }
    (name, &text[at.min(text.len())..])
}

/// The rest after a field's value: it begins with a comma, the space before the time, or is empty.
fn behind_value(text: &[u8]) -> &[u8] {
    let mut at = 0;
    let mut quoted = false;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b',' | b' ' if !quoted => break,
            _ => {}
        }
        at += 1;
    }
    &text[at.min(text.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name_and_only_among_the_fields_of_its_measurement() {
        for (line, measurement, field, is) in [
            ("met,site=a RH=1,T=2 5", "met", "RH", true),
            ("met,site=a RH=1,T=2 5", "met", "T", true),
            ("met RH=1 5", "met", "RH", true),
            ("met,RH=a T=1,RH_qc=2 5", "met", "RH", false),
            ("met,RH=a T=1,RH_qc=2 5", "met", "RH_qc", true),
            ("met2,site=a RH=1 5", "met", "RH", false),
            ("a\\ b,s\\,i=c\\ d R\\ H=1,x\\=y=2 5", "a b", "R H", true),
            ("a\\ b,s\\,i=c\\ d R\\ H=1,x\\=y=2 5", "a b", "x=y", true),
            ("met note=\"x, RH=1 \\\" y\",T=2 5", "met", "RH", false),
            ("met note=\"x, RH=1 \\\" y\",T=2 5", "met", "T", true),
            ("met", "met", "T", false),
        ] {
            assert_eq!(carries(line.as_bytes(), measurement, field), is, "{line} {field}");
        }
    }
}
