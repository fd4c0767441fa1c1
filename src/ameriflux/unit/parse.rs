//! Reads a unit as users write it: dimension, scale and offset.

/// The meaning of a unit text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Unit(Unit),
    /// "degrees" alone, which may be an angle or a temperature.
    Degrees,
    /// "unitless": correct for a ratio and an index, but also what programs write where the unit was not filled in.
    Unitless,
}

/// A unit: `value * scale + offset` is in SI base units (metre, kilogram, second, ampere, kelvin, mole) and degrees of
/// angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    powers: Powers,
    /// The powers in the numerator; they distinguish a ratio of moles from a ratio of masses.
    above: Powers,
    pub(super) scale: f64,
    pub(super) offset: f64,
}

/// Exponents of metre, kilogram, second, ampere, kelvin, mole, degree.
type Powers = [i8; 7];

/// The longest text that is read. No header has a unit this long, and the limit bounds the recursion.
const LONGEST: usize = 60;

impl Unit {
    pub(super) const ONE: Unit = Unit::of([0; 7], 1.0);
    pub(super) const ANGLE: Unit = Unit::of([0, 0, 0, 0, 0, 0, 1], 1.0);
    const KELVIN: Unit = Unit::of([0, 0, 0, 0, 1, 0, 0], 1.0);

    const fn of(powers: Powers, scale: f64) -> Unit {
        Unit { powers, above: powers, scale, offset: 0.0 }
    }

    const fn times(self, scale: f64) -> Unit {
        Unit { scale: self.scale * scale, ..self }
    }

    /// Whether both have the same dimension. A number without a dimension, such as a percentage, matches every ratio.
    pub(super) fn has_dimension_of(&self, other: &Unit) -> bool {
        let plain = |unit: &Unit| unit.above == [0; 7];
        let ratios = self.powers == [0; 7] && !plain(self) && !plain(other);
        self.powers == other.powers && (!ratios || self.above == other.above)
    }

    pub(super) fn is_temperature(&self) -> bool {
        self.powers == Unit::KELVIN.powers
    }

    pub(super) fn is_length(&self) -> bool {
        self.powers == [1, 0, 0, 0, 0, 0, 0]
    }

    pub(super) fn is_mass_on_area(&self) -> bool {
        self.powers == [-2, 1, 0, 0, 0, 0, 0]
    }

    /// Multiplies by `other` to the power of `exponent`. None if the result is out of the range of any unit.
    fn with(mut self, other: &Unit, exponent: i8) -> Option<Unit> {
        for at in 0..self.powers.len() {
            let power = other.powers[at].checked_mul(exponent)?;
            self.powers[at] = self.powers[at].checked_add(power)?;
            self.above[at] = self.above[at].checked_add(power.max(0))?;
        }
        self.scale *= other.scale.powi(i32::from(exponent));
        Some(self)
    }
}

/// The meaning of a unit text. None for an empty text and one that is not understood with certainty.
pub(super) fn meaning(text: &str) -> Option<Meaning> {
    let text = plain(text);
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let key: String = text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_lowercase();
    word(&key).or_else(|| {
        let mut reader = Reader { rest: &text };
        let unit = reader.quotient()?;
        reader.rest.is_empty().then_some(Meaning::Unit(unit))
    })
}

/// Uses one spelling for signs that have several: `µ`, superscripts, multiplication, minus.
fn plain(text: &str) -> String {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']').replace("**", "^");
    let mut plain = String::with_capacity(text.len());
    let mut raised = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        // UTF-8 that was read as Windows-1252 and written as UTF-8 again: `Â°C`, `Wm-Â²`, `Î¼mol`.
        let letter = match (letter, letters.peek()) {
            ('Â', Some('\u{a0}'..='\u{bf}')) => continue,
            ('Î', Some('¼')) => {
                letters.next();
                'µ'
            }
            ('℃' | '℉', _) => {
                plain.push('°');
                if letter == '℃' { 'C' } else { 'F' }
            }
            _ => letter,
        };
        let superscript = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|known| known == letter);
        if let Some(at) = superscript {
            if !raised {
                plain.push('^');
            }
            plain.extend("-0123456789".chars().nth(at));
        } else {
            plain.push(match letter {
                'µ' | 'μ' => 'u',
                '−' | '–' => '-',
                '·' | '⋅' | '*' | '_' | '.' => ' ',
                'º' | '˚' => '°',
                other => other,
            });
        }
        raised = superscript.is_some();
    }
    in_signs(plain.trim())
}

/// Writes `per`, `square`, `cubic` and `squared` as signs: `watts per square meter`.
fn in_signs(text: &str) -> String {
    const SPELLED: [&str; 7] = ["per", "square", "sq", "squared", "cubic", "cu", "cubed"];
    let apart = text.replace('/', " / ");
    if !apart.split_whitespace().any(|word| SPELLED.contains(&word.to_lowercase().as_str())) {
        return text.to_owned();
    }
    let mut signs = String::with_capacity(text.len());
    let mut power = "";
    for word in apart.split_whitespace() {
        let lower = word.to_lowercase();
        match lower.as_str() {
            "per" => signs.push('/'),
            "square" | "sq" => power = "^2",
            "cubic" | "cu" => power = "^3",
            "squared" => signs.push_str("^2"),
            "cubed" => signs.push_str("^3"),
            _ => {
                if !signs.is_empty() {
                    signs.push(' ');
                }
                signs.push_str(word);
                signs.push_str(std::mem::take(&mut power));
            }
        }
    }
    // A square of nothing is not understood.
    signs.push_str(power);
    signs
}

/// Texts that are one term, with any spaces and in upper or lower case.
fn word(key: &str) -> Option<Meaning> {
    const CELSIUS: Unit = Unit { offset: 273.15, ..Unit::KELVIN };
    const FAHRENHEIT: Unit = Unit { scale: 5.0 / 9.0, offset: 459.67 * 5.0 / 9.0, ..Unit::KELVIN };
    const PASCAL: Unit = Unit::of([-1, 1, -2, 0, 0, 0, 0], 1.0);
    const METRE_PER_SECOND: Unit = Unit::of([1, 0, -1, 0, 0, 0, 0], 1.0);
    let degrees =
        ["decimaldegrees", "degrees", "degree", "degs", "deg", "°"].iter().find_map(|word| key.strip_prefix(word));
    if let Some(after) = degrees {
        match after {
            "" => return Some(Meaning::Degrees),
            "true" | "north" | "truenorth" | "fromnorth" | "fromtruenorth" => return Some(Meaning::Unit(Unit::ANGLE)),
            _ => {}
        }
    }
    Some(Meaning::Unit(match degrees.unwrap_or(key) {
        "c" | "c°" | "oc" | "celsius" | "celcius" | "centigrade" => CELSIUS,
        "k" | "kelvin" | "kelvins" => Unit::KELVIN,
        "f" | "f°" | "fahrenheit" => FAHRENHEIT,
        _ => match key {
            "unitless" | "dimensionless" | "nondimensional" | "adimensional" | "none" | "-" | "1" => {
                return Some(Meaning::Unitless);
            }
            "fraction" | "frac" => Unit::ONE,
            "%" | "percent" | "pct" | "%rh" | "%vol" | "vol%" | "%vwc" => Unit::ONE.times(1e-2),
            "‰" | "permil" | "permille" | "‰(permil)" => Unit::ONE.times(1e-3),
            "ppm" | "ppmv" => Unit::ONE.times(1e-6),
            "ppb" | "ppbv" => Unit::ONE.times(1e-9),
            "mph" => METRE_PER_SECOND.times(0.44704),
            "mps" => METRE_PER_SECOND,
            "kph" | "kmh" | "kmph" => METRE_PER_SECOND.times(1.0 / 3.6),
            "knot" | "knots" | "kt" | "kts" => METRE_PER_SECOND.times(1852.0 / 3600.0),
            "mmhg" | "mmofmercury" | "torr" => PASCAL.times(133.322),
            "inhg" | "inchhg" | "incheshg" | "inofhg" | "inchesofhg" | "inchesofmercury" | "inchesmercury" => {
                PASCAL.times(3386.39)
            }
            _ => return None,
        },
    }))
}

/// Reads products and quotients from left to right.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads a quotient: `umol/m^2/s`, `mg/(m^2 s)`. Everything between two slashes is in the denominator, as users
    /// mean `umol/m2 s`.
    fn quotient(&mut self) -> Option<Unit> {
        let mut unit = self.product(1)?;
        while self.skip('/') {
            unit = unit.with(&self.product(-1)?, 1)?;
        }
        Some(unit)
    }

    /// Reads factors up to a slash, a closing bracket or the end. `side` is -1 after a slash, otherwise 1.
    fn product(&mut self, side: i8) -> Option<Unit> {
        let mut unit = Unit::ONE;
        let mut factors = 0;
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(['/', ')']) {
                return (factors > 0).then_some(unit);
            }
            let what = self.run(char::is_alphanumeric);
            // `umol CO2`; the name of a substance alone is not a unit.
            if factors > 0 && species(what) {
                self.rest = &self.rest[what.len()..];
                continue;
            }
            let (glued, factor) = self.factor()?;
            let exponent = self.exponent()?;
            // `umol/m2 s-1`: it is ambiguous whether the last factor is in the denominator.
            if side < 0 && exponent < 0 {
                return None;
            }
            // `J(m^2 h)`: a slash is missing, or it is a function call.
            if self.rest.starts_with('(') {
                return None;
            }
            if let Some(glued) = glued {
                unit = unit.with(&glued, side)?;
            }
            unit = unit.with(&factor, exponent * side)?;
            factors += 1;
        }
    }

    /// Reads one factor, and a symbol without an exponent that is written directly before it (`Wm-2`).
    fn factor(&mut self) -> Option<(Option<Unit>, Unit)> {
        if self.skip('(') {
            let unit = self.quotient()?;
            return self.skip(')').then_some((None, unit));
        }
        if self.rest.starts_with("1/") {
            self.rest = &self.rest[1..];
            return Some((None, Unit::ONE));
        }
        if self.skip('%') {
            return Some((None, Unit::ONE.times(1e-2)));
        }
        let run = self.run(char::is_alphanumeric);
        if let Some(unit) = symbol(run) {
            self.rest = &self.rest[run.len()..];
            return Some((None, unit));
        }
        let run = self.run(char::is_alphabetic);
        self.rest = &self.rest[run.len()..];
        if let Some(unit) = symbol(run) {
            return Some((None, unit));
        }
        // Only an exponent shows that the letters are two symbols.
        if !self.rest.trim_start_matches('^').starts_with('-') {
            return None;
        }
        let mut cuts = run.char_indices().skip(1).filter_map(|(at, _)| {
            let (front, back) = run.split_at(at);
            Some((Some(prefixed(front)?), prefixed(back)?))
        });
        let cut = cuts.next();
        if cuts.next().is_some() { None } else { cut }
    }

    /// Reads an exponent: `^2`, `-2`, `2`; 1 where there is none.
    fn exponent(&mut self) -> Option<i8> {
        let marked = self.skip('^');
        let signed = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let digits = signed.len() - signed.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        if digits == 0 {
            return (!marked && signed.len() == self.rest.len()).then_some(1);
        }
        let end = self.rest.len() - signed.len() + digits;
        let (exponent, rest) = self.rest.split_at(end);
        self.rest = rest;
        exponent.parse().ok().filter(|exponent| (-9..=9).contains(exponent))
    }

    fn skip(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start();
        let after = self.rest.strip_prefix(sign);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn run(&self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !belongs(letter)).unwrap_or(self.rest.len());
        &self.rest[..end]
    }
}

/// Whether the text names the substance that a mole or a gram is measured of. It does not affect the dimension.
fn species(text: &str) -> bool {
    const KNOWN: [&str; 12] =
        ["CO2", "H2O", "CH4", "N2O", "NO", "NO2", "O3", "CO", "SO2", "photon", "photons", "quanta"];
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(text))
}

fn symbol(text: &str) -> Option<Unit> {
    spelled_out(&text.to_lowercase()).or_else(|| prefixed(text)).or_else(|| of_species(text)).or_else(|| shouted(text))
}

/// Reads `umolCO2`, `mgC`.
fn of_species(text: &str) -> Option<Unit> {
    ["mol", "g"].iter().find_map(|base| {
        let end = text.find(base)? + base.len();
        let (front, what) = text.split_at(end);
        (species(what) || what == "C").then(|| prefixed(front))?
    })
}

/// Reads a symbol in the wrong case, where no other unit can be meant.
fn shouted(text: &str) -> Option<Unit> {
    const KNOWN: [&str; 22] = [
        "Pa", "kPa", "hPa", "bar", "mbar", "W", "kW", "V", "mV", "J", "m", "mm", "cm", "g", "kg", "mg", "s", "mol",
        "umol", "mmol", "nmol", "h",
    ];
    KNOWN.iter().find(|known| known.eq_ignore_ascii_case(text)).and_then(|known| prefixed(known))
}

fn spelled_out(lower: &str) -> Option<Unit> {
    let (symbol, scale) = match lower {
        "meter" | "meters" | "metre" | "metres" => ("m", 1.0),
        "millimeter" | "millimeters" | "millimetre" | "millimetres" => ("mm", 1.0),
        "centimeter" | "centimeters" | "centimetre" | "centimetres" => ("cm", 1.0),
        "inch" | "inches" | "in" => ("m", 0.0254),
        "foot" | "feet" | "ft" => ("m", 0.3048),
        "mile" | "miles" | "mi" => ("m", 1609.344),
        "kilometer" | "kilometers" | "kilometre" | "kilometres" => ("km", 1.0),
        "second" | "seconds" | "sec" | "secs" => ("s", 1.0),
        "msec" | "millisecond" | "milliseconds" => ("s", 1e-3),
        "usec" | "microsecond" | "microseconds" => ("s", 1e-6),
        "minute" | "minutes" | "mins" => ("min", 1.0),
        "hour" | "hours" | "hr" | "hrs" => ("h", 1.0),
        "day" | "days" => ("d", 1.0),
        "watt" | "watts" => ("W", 1.0),
        "kilowatt" | "kilowatts" => ("kW", 1.0),
        "joule" | "joules" => ("J", 1.0),
        "kilojoule" | "kilojoules" => ("kJ", 1.0),
        "megajoule" | "megajoules" => ("MJ", 1.0),
        "newton" | "newtons" => ("N", 1.0),
        "hertz" => ("Hz", 1.0),
        "amp" | "amps" | "ampere" | "amperes" => ("A", 1.0),
        "milliamp" | "milliamps" | "milliampere" | "milliamperes" => ("mA", 1.0),
        "volt" | "volts" | "vdc" => ("V", 1.0),
        "millivolt" | "millivolts" => ("mV", 1.0),
        "pascal" | "pascals" => ("Pa", 1.0),
        "hectopascal" | "hectopascals" | "millibar" | "millibars" | "mb" => ("hPa", 1.0),
        "kilopascal" | "kilopascals" => ("kPa", 1.0),
        "megapascal" | "megapascals" => ("MPa", 1.0),
        "bars" => ("bar", 1.0),
        "mbars" => ("mbar", 1.0),
        "mole" | "moles" => ("mol", 1.0),
        "millimole" | "millimoles" | "mmoles" => ("mmol", 1.0),
        "micromol" | "micromole" | "micromoles" | "umoles" => ("umol", 1.0),
        "microeinstein" | "microeinsteins" => ("uE", 1.0),
        "gram" | "grams" => ("g", 1.0),
        "milligram" | "milligrams" => ("mg", 1.0),
        "kilogram" | "kilograms" => ("kg", 1.0),
        "microsiemens" | "umho" | "umhos" => ("uS", 1.0),
        "millisiemens" | "mmho" | "mmhos" => ("mS", 1.0),
        "decisiemens" => ("dS", 1.0),
        "psi" => ("Pa", 6894.76),
        "atm" => ("Pa", 101_325.0),
        "degree" | "degrees" | "deg" => ("°", 1.0),
        "radian" | "radians" | "rad" => ("°", 180.0 / std::f64::consts::PI),
        "liter" | "liters" | "litre" | "litres" => ("L", 1.0),
        _ => return None,
    };
    prefixed(symbol).map(|unit| unit.times(scale))
}

/// A symbol as SI writes it, with or without a prefix.
fn prefixed(text: &str) -> Option<Unit> {
    const PREFIXES: [(&str, f64); 8] =
        [("n", 1e-9), ("u", 1e-6), ("m", 1e-3), ("c", 1e-2), ("d", 1e-1), ("h", 1e2), ("k", 1e3), ("M", 1e6)];
    let unit = match text {
        "s" => Some(Unit::of([0, 0, 1, 0, 0, 0, 0], 1.0)),
        "min" => Some(Unit::of([0, 0, 1, 0, 0, 0, 0], 60.0)),
        "h" => Some(Unit::of([0, 0, 1, 0, 0, 0, 0], 3600.0)),
        "d" => Some(Unit::of([0, 0, 1, 0, 0, 0, 0], 86_400.0)),
        "ha" => Some(Unit::of([2, 0, 0, 0, 0, 0, 0], 1e4)),
        "K" | "C" => Some(Unit::KELVIN),
        "°" => Some(Unit::ANGLE),
        // A capital S alone is more often a second than a siemens, and a capital E alone is ambiguous.
        "S" | "E" => None,
        _ => si(text),
    };
    unit.or_else(|| {
        PREFIXES.iter().find_map(|(prefix, scale)| si(text.strip_prefix(prefix)?).map(|unit| unit.times(*scale)))
    })
}

/// Symbols that take a prefix. (`ms` is not among them: it stands for metres and seconds in `ms-1`.)
fn si(symbol: &str) -> Option<Unit> {
    Some(match symbol {
        "m" => Unit::of([1, 0, 0, 0, 0, 0, 0], 1.0),
        "g" => Unit::of([0, 1, 0, 0, 0, 0, 0], 1e-3),
        "A" => Unit::of([0, 0, 0, 1, 0, 0, 0], 1.0),
        // An einstein is a mole of photons.
        "mol" | "E" => Unit::of([0, 0, 0, 0, 0, 1, 0], 1.0),
        "Hz" => Unit::of([0, 0, -1, 0, 0, 0, 0], 1.0),
        "N" => Unit::of([1, 1, -2, 0, 0, 0, 0], 1.0),
        "Pa" => Unit::of([-1, 1, -2, 0, 0, 0, 0], 1.0),
        "bar" => Unit::of([-1, 1, -2, 0, 0, 0, 0], 1e5),
        "J" => Unit::of([2, 1, -2, 0, 0, 0, 0], 1.0),
        "W" => Unit::of([2, 1, -3, 0, 0, 0, 0], 1.0),
        "V" => Unit::of([2, 1, -3, -1, 0, 0, 0], 1.0),
        "S" => Unit::of([-2, -1, 3, 2, 0, 0, 0], 1.0),
        "L" | "l" => Unit::of([3, 0, 0, 0, 0, 0, 0], 1e-3),
        _ => return None,
    })
}
