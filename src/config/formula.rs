//! Derived columns: an expression over the columns of the same row.
//!
//! The crate `exmex` evaluates it: `+ - * / ^`, brackets, `exp ln log10 sqrt abs min max sin cos atan2` and similar functions,
//! and the constants PI and E; [`spelling`] has the grammar. A column name that is not a plain identifier is written in
//! braces: `{TS(1)}`. `SW_IN_POT` and `SUN_ELEVATION` are not columns: they give the sun's position at the time of the
//! row.

mod spelling;

use exmex::Express;

/// A parsed expression and the columns it reads.
#[derive(Debug, Clone)]
pub struct Formula {
    text: String,
    expression: exmex::FlatEx<f64>,
    /// The meaning of each name, in the order in which the expression takes them.
    names: Vec<Name>,
    inputs: Vec<String>,
}

/// The meaning of a name in a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// The next column of the inputs.
    Column,
    /// Potential radiation, W m-2.
    Potential,
    /// The sun's elevation, degrees.
    Elevation,
}

/// The sun at a row, for a formula that uses it; values that the formula does not use are NaN.
#[derive(Debug, Clone, Copy)]
pub struct Sky {
    /// Mean potential radiation over the row's interval, W m-2: `SW_IN_POT`.
    pub potential: f64,
    /// The sun's elevation at the row's time, degrees: `SUN_ELEVATION`.
    pub elevation: f64,
}

impl PartialEq for Formula {
    fn eq(&self, other: &Formula) -> bool {
        self.text == other.text
    }
}

/// The digits that a derived value keeps: as many as Campbell's IEEE4 numbers have, so that the result does not claim
/// more precision than its inputs.
const DIGITS_BEHIND_POINT: usize = 6;

impl Formula {
    /// Parses an expression.
    ///
    /// # Errors
    /// The rest of a message that begins with the key: what is wrong, and what to write.
    pub fn parse(text: &str) -> Result<Formula, String> {
        let wrong = |reason: String| {
            format!(
                "is no formula: {reason}; write for example \"TA * 1.8 + 32\", with a column name that is no plain word \
                 in braces: \"{{TS(1)}} + 273.15\""
            )
        };
        let spelled = spelling::spelled(text).map_err(wrong)?;
        // What is spelled is a formula to the library, whose messages are about its own parser.
        let expression = exmex::parse::<f64>(&spelled).map_err(|_| wrong("it cannot be computed".to_owned()))?;
        if expression.var_names().is_empty() {
            return Err("names no column; write for example \"TA + 273.15\"".to_owned());
        }
        let of = |name: &String| match name.as_str() {
            "SW_IN_POT" => Name::Potential,
            "SUN_ELEVATION" => Name::Elevation,
            _ => Name::Column,
        };
        let names: Vec<Name> = expression.var_names().iter().map(of).collect();
        let columns = expression.var_names().iter().zip(&names).filter(|(_, name)| **name == Name::Column);
        let inputs = columns.map(|(text, _)| text.clone()).collect();
        Ok(Formula { text: text.to_owned(), names, inputs, expression })
    }

    /// Whether it uses potential radiation.
    pub fn has_potential(&self) -> bool {
        self.names.contains(&Name::Potential)
    }

    /// Whether it uses the sun's elevation.
    pub fn has_elevation(&self) -> bool {
        self.names.contains(&Name::Elevation)
    }

    /// Whether it uses the sun's position.
    pub fn needs_sky(&self) -> bool {
        self.names.iter().any(|name| *name != Name::Column)
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The columns that it reads, in the order in which [`Formula::value`] takes them.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// The value, to seven digits. None if the result is undefined (a root of a negative number, a division by zero),
    /// or if the formula uses the sun's position and `sky` is None.
    pub fn value(&self, inputs: &[f64], sky: Option<Sky>) -> Option<f64> {
        let mut columns = inputs.iter();
        let of = |name: &Name| match name {
            Name::Column => columns.next().copied(),
            Name::Potential => Some(sky?.potential),
            Name::Elevation => Some(sky?.elevation),
        };
        let all: Vec<f64> = self.names.iter().map(of).collect::<Option<_>>()?;
        let value = self.expression.eval(&all).ok().filter(|value| value.is_finite())?;
        format!("{value:.DIGITS_BEHIND_POINT$e}").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, inputs: &[f64]) -> Option<f64> {
        Formula::parse(text).unwrap().value(inputs, None)
    }

    #[test]
    fn inputs_are_named_in_the_order_in_which_they_are_taken() {
        let formula = Formula::parse("RH / 100 * TA").unwrap();
        assert_eq!(formula.inputs(), ["RH", "TA"]);
        assert_eq!(formula.value(&[50.0, 20.0], None), Some(10.0));
    }

    #[test]
    fn vapour_pressure_deficit_comes_from_temperature_and_humidity() {
        // The saturation vapour pressure over water at 25 °C is 31.7 hPa (Magnus), so half humidity gives a deficit of
        // half of it.
        let text = "6.1078 * exp(17.08085 * TA / (234.175 + TA)) * (1 - RH / 100)";
        let vpd = value(text, &[50.0, 25.0]).unwrap();
        assert!((vpd - 15.84).abs() < 0.05, "{vpd}");
    }

    #[test]
    fn wind_speed_and_direction_come_from_components() {
        assert_eq!(value("sqrt(Ux^2 + Uy^2)", &[3.0, 4.0]), Some(5.0));
        assert_eq!(value("atan2(Uy, Ux) * 180 / PI", &[0.0, 2.0]), Some(90.0));
    }

    #[test]
    fn powers_go_before_signs_and_from_the_right_and_numbers_have_exponents() {
        for (text, x, wanted) in [
            ("5.67e-8*x^4", 300.0, 459.27),
            ("x*1e-3", 300.0, 0.3),
            ("1E3*x", 2.0, 2_000.0),
            ("-x^2", 300.0, -90_000.0),
            ("-2^2+x", 300.0, 296.0),
            ("2^3^2*x", 300.0, 153_600.0),
            ("2^-x", 2.0, 0.25),
            ("(-x)^2", 3.0, 9.0),
            ("x - -x^2", 3.0, 12.0),
            ("6 / x * 3 - 1 + 2", 2.0, 10.0),
            ("8 - x - 1", 2.0, 5.0),
            ("-abs(x)^2", -3.0, -9.0),
            ("max(x, 4, 7)", 5.0, 7.0),
            ("max(2, min(x, 4))", 5.0, 4.0),
            ("atan2(max(x, 1), min(x, 1)) * 0 + E^0", 2.0, 1.0),
        ] {
            assert_eq!(value(text, &[x]), Some(wanted), "{text}");
        }
    }

    #[test]
    fn names_that_are_not_plain_stand_in_braces() {
        assert_eq!(value("{TS(1)} + 1", &[2.0]), Some(3.0));
    }

    #[test]
    fn what_has_no_value_is_none_and_never_infinite() {
        assert_eq!(value("1 / x", &[0.0]), None);
        assert_eq!(value("sqrt(x)", &[-1.0]), None);
    }

    #[test]
    fn seven_digits_are_kept() {
        assert_eq!(value("x / 3", &[1.0]), Some(0.333_333_3));
    }

    #[test]
    fn the_sun_is_no_column_and_has_no_value_without_a_position() {
        let clearness = Formula::parse("SWin / SW_IN_POT").unwrap();
        assert_eq!(clearness.inputs(), ["SWin"]);
        assert!(clearness.has_potential() && clearness.needs_sky());
        assert_eq!(clearness.value(&[600.0], Some(Sky { potential: 1_200.0, elevation: 60.0 })), Some(0.5));
        assert_eq!(clearness.value(&[600.0], None), None);
        let elevation = Formula::parse("SUN_ELEVATION").unwrap();
        assert!(!elevation.has_potential() && elevation.inputs().is_empty());
    }

    #[test]
    fn a_wrong_formula_is_refused() {
        for text in ["TA +", "(TA", "1 + 2", ""] {
            assert!(Formula::parse(text).is_err(), "{text}");
        }
    }
}
