//! Levels: the height of a sensor above ground or its depth below.

use super::ConfigError;
use super::file::Text;
use super::place::Section;

/// No tower is higher and no borehole at a tower deeper; a larger number is a mistake, such as centimetres written as
/// metres.
const FARTHEST_METRES: f64 = 1_000.0;

/// Height above or depth below ground.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Metres, negative below ground (-0.0 is the surface as a depth); for a layer, its middle.
    pub metres: f64,
    /// The text that is shown: "46 m", "7.5 cm", "0–30 cm".
    pub label: String,
}

impl Level {
    /// Reads a height: `46m`, `0.5 m`, `50cm`.
    ///
    /// # Errors
    /// The rest of a sentence that begins with the text.
    pub fn height(text: &str) -> Result<Level, String> {
        height(text)
    }

    /// Reads a depth, like [`Level::height`], or a layer: `0-30cm`.
    ///
    /// # Errors
    /// As for [`Level::height`].
    pub fn depth(text: &str) -> Result<Level, String> {
        depth(text)
    }

    /// Whether the level was given as a depth.
    pub fn is_depth(&self) -> bool {
        self.metres.is_sign_negative()
    }

    /// The key by which levels are compared: 50 cm and 0.5 m are equal, a layer and the depth of its middle are
    /// different. It sorts upwards.
    pub fn key(&self) -> (i64, bool, String) {
        let is_layer = self.label.contains('–');
        // At most a million millimetres, so the conversion is exact.
        #[allow(clippy::cast_possible_truncation)]
        let millimetres = (self.metres * 1_000.0).round() as i64;
        (millimetres, !self.is_depth(), if is_layer { self.label.clone() } else { String::new() })
    }
}

/// Reads the level of a section: its height, its depth, or neither.
pub(super) fn read(at: &Section<'_>, height: &Text, depth: &Text) -> Result<Option<Level>, ConfigError> {
    if let (Some(_), Some(depth)) = (height, depth) {
        let problem = "depth stands beside height; keep one of them: height above ground, depth below it";
        return Err(at.wrong(&depth.span(), problem));
    }
    Ok(at.read("height", height, self::height)?.or(at.read("depth", depth, self::depth)?))
}

/// Reads `46m`, `46 m`, `50 cm`. The error is the rest of a sentence that begins with the key.
fn height(text: &str) -> Result<Level, String> {
    let fix = "is not a height; write metres or centimetres above ground, such as \"46m\" or \"0.5 m\"";
    match lengths(text) {
        Some((length, None, unit)) => level(length.0, format!("{} {unit}", length.1)).ok_or_else(too_far),
        Some(_) => Err("is a layer, and layers are depths; write one height, such as \"46m\"".to_owned()),
        None => Err(fix.to_owned()),
    }
}

/// Like [`height`], counted downwards; also a layer, `0-30cm`, from its upper to its lower end.
fn depth(text: &str) -> Result<Level, String> {
    let fix = "is not a depth; write metres or centimetres below ground, such as \"7.5cm\" or \"1m\", or a layer: \
                \"0-30cm\"";
    let level = match lengths(text) {
        Some((length, None, unit)) => level(length.0, format!("{} {unit}", length.1)),
        Some((upper, Some(lower), unit)) if upper.0 < lower.0 && lower.0 <= FARTHEST_METRES => {
            level(f64::midpoint(upper.0, lower.0), format!("{}–{} {unit}", upper.1, lower.1))
        }
        Some((upper, Some(lower), unit)) if upper.0 > lower.0 => {
            return Err(format!(
                "is upside down; write the upper end first, such as \"{}-{}{unit}\"",
                lower.1, upper.1
            ));
        }
        _ => return Err(fix.to_owned()),
    };
    let level = level.ok_or_else(too_far)?;
    Ok(Level { metres: -level.metres, ..level })
}

fn too_far() -> String {
    format!("is more than {FARTHEST_METRES} m; write it in metres or centimetres, such as \"46m\" or \"50cm\"")
}

fn level(metres: f64, label: String) -> Option<Level> {
    (metres <= FARTHEST_METRES).then_some(Level { metres, label })
}

/// Metres, and the number as it was written.
type Length<'a> = (f64, &'a str);

/// Reads one length, or the two ends of a layer, and the unit.
fn lengths(text: &str) -> Option<(Length<'_>, Option<Length<'_>>, &'static str)> {
    let text = text.trim();
    let unit_at =
        text.find(|c: char| c.is_ascii_alphabetic() || c == ' ').filter(|_| text.is_ascii() || text.contains('–'));
    let unit_at = unit_at?;
    let (numbers, unit) = (text.get(..unit_at)?, text.get(unit_at..)?.trim());
    let (scale, unit) = match unit {
        "m" => (1.0, "m"),
        "cm" => (0.01, "cm"),
        _ => return None,
    };
    let length = |written| number(written).map(|number| (number * scale, written));
    match numbers.split_once(['-', '–']) {
        Some((upper, lower)) => Some((length(upper)?, Some(length(lower)?), unit)),
        None => Some((length(numbers)?, None, unit)),
    }
}

/// Reads digits with or without a fraction.
fn number(text: &str) -> Option<f64> {
    let plain = text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn heights_and_depths_are_a_number_and_a_unit() {
        for (text, metres, label) in [
            ("46m", 46.0, "46 m"),
            ("46 m", 46.0, "46 m"),
            ("0.5m", 0.5, "0.5 m"),
            ("50cm", 0.5, "50 cm"),
            ("0m", 0.0, "0 m"),
        ] {
            assert_eq!(height(text), Ok(Level { metres, label: label.to_owned() }), "{text}");
            let below = depth(text).unwrap();
            assert_eq!((below.metres, below.label.as_str()), (-metres, label), "{text}");
            assert!(below.is_depth() && !height(text).unwrap().is_depth(), "{text}");
        }
        for text in
            ["", "46", "m", "-46m", "46ft", "46 m above", "4.6.m", ".5m", "5.m", "1e1m", "46µm", "infm", "NaNcm"]
        {
            assert!(height(text).is_err() && depth(text).is_err(), "{text}");
        }
        assert!(height("4600m").unwrap_err().contains("more than 1000 m"));
    }

    #[test]
    fn a_layer_is_a_depth_at_its_middle() {
        for text in ["0-30cm", "0–30 cm"] {
            assert_eq!(depth(text), Ok(Level { metres: -0.15, label: "0–30 cm".to_owned() }), "{text}");
        }
        assert!(depth("30-0cm").unwrap_err().contains("\"0-30cm\""));
        assert!(height("0-30cm").unwrap_err().contains("layer"));
        assert!(depth("10-10cm").is_err());
    }

    #[test]
    fn levels_differ_by_place_and_not_by_spelling() {
        assert_eq!(depth("50cm").unwrap().key(), depth("0.5m").unwrap().key());
        assert_ne!(depth("0-30cm").unwrap().key(), depth("15cm").unwrap().key());
        assert_ne!(depth("0m").unwrap().key(), height("0m").unwrap().key());
        assert!(depth("1m").unwrap().key() < depth("2cm").unwrap().key());
        assert!(depth("0m").unwrap().key() < height("0m").unwrap().key());
    }
}
