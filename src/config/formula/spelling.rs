//! A formula as users write it, spelled so that the library that computes it cannot read it otherwise.
//!
//! `exmex` applies a sign before a power, powers from the left, knows no exponent of a number and no comma within a comma, and
//! its messages are about its own parser. So the grammar is here: powers go before signs and from the right, as in
//! mathematics, CRBasic, Python and R. Powers, functions and columns are spelled in brackets and braces; sums and products
//! keep their order.
//!
//! ```text
//! sum   := term { ("+" | "-" | "*" | "/") term }
//! term  := { "+" | "-" } power
//! power := value [ "^" term ]
//! value := number | column | constant | "(" sum ")" | function "(" sum { "," sum } ")" | function value
//! ```

use exmex::{FloatOpsFactory, MakeOperators as _, Operator};

/// Brackets, signs and powers within each other: more is no formula, and would take the stack.
const DEEPEST: usize = 64;

/// Spells a formula for the library.
///
/// # Errors
/// What is wrong, as the end of "is no formula: ".
pub(super) fn spelled(text: &str) -> Result<String, String> {
    let mut reader = Reader { rest: text.trim(), depth: 0, operators: FloatOpsFactory::<f64>::make() };
    if reader.rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    let spelled = reader.sum()?;
    match reader.rest.chars().next() {
        None => Ok(spelled),
        Some(')') => Err("\")\" closes no bracket".to_owned()),
        Some(_) => Err(format!("\"{}\" stands where an operator is expected", reader.next_part())),
    }
}

/// What is left of a text.
struct Reader<'t> {
    rest: &'t str,
    depth: usize,
    operators: Vec<Operator<'t, f64>>,
}

impl<'t> Reader<'t> {
    fn sum(&mut self) -> Result<String, String> {
        self.deeper()?;
        let mut spelled = self.term()?;
        while let Some(operator) = ["+", "-", "*", "/"].into_iter().find(|operator| self.takes(operator)) {
            spelled.push_str(operator);
            spelled.push_str(&self.term()?);
        }
        self.depth -= 1;
        Ok(spelled)
    }

    fn term(&mut self) -> Result<String, String> {
        self.deeper()?;
        let mut spelled = String::new();
        loop {
            if self.takes("-") {
                spelled.push('-');
            } else if !self.takes("+") {
                break;
            }
        }
        let value = self.value()?;
        if self.takes("^") {
            let power = self.term()?;
            spelled.push_str(&format!("(({value})^({power}))"));
        } else {
            spelled.push_str(&value);
        }
        self.depth -= 1;
        Ok(spelled)
    }

    fn value(&mut self) -> Result<String, String> {
        if self.takes("(") {
            let inner = self.sum()?;
            return self.closes().map(|()| format!("({inner})"));
        }
        if self.takes("{") {
            let (name, rest) = self.rest.split_once('}').ok_or("\"{\" is not closed")?;
            self.advance(rest);
            return if name.is_empty() { Err("{} names no column".to_owned()) } else { Ok(format!("{{{name}}}")) };
        }
        if let Some(number) = number(self.rest) {
            let value: f64 = number.parse().map_err(|_| format!("\"{number}\" is no number"))?;
            if !value.is_finite() {
                return Err(format!("{number} is too large"));
            }
            self.advance(&self.rest[number.len()..]);
            return match self.rest.chars().next() {
                Some(letter) if is_letter(letter) || letter == '{' => {
                    Err(format!("\"{}\" stands behind {number} without an operator", self.next_part()))
                }
                // Digits without an exponent, that are read as the same number.
                _ => Ok(value.to_string()),
            };
        }
        let name = name(self.rest);
        if name.is_empty() {
            let part = self.next_part();
            return Err(if part.is_empty() {
                "it ends where a value is expected".to_owned()
            } else {
                format!("\"{part}\" stands where a value is expected")
            });
        }
        self.advance(&self.rest[name.len()..]);
        self.named(name)
    }

    /// A column, a constant or a function.
    fn named(&mut self, name: &'t str) -> Result<String, String> {
        let known = self.operators.iter().find(|operator| operator.repr() == name).cloned();
        let Some(operator) = known else {
            return if self.rest.starts_with('(') {
                Err(format!("{name} is no function"))
            } else {
                Ok(format!("{{{name}}}"))
            };
        };
        if let Some(constant) = operator.constant() {
            return Ok(constant.to_string());
        }
        let takes_one = operator.has_unary();
        if !self.takes("(") {
            return if takes_one {
                self.deeper()?;
                let value = self.value()?;
                self.depth -= 1;
                Ok(format!("{name}({value})"))
            } else {
                Err(format!("{name} is a function; write its values in brackets, as in {name}(A, B)"))
            };
        }
        let mut spelled = self.sum()?;
        let mut count = 1;
        while self.takes(",") {
            let next = self.sum()?;
            spelled = format!("({spelled}){name}({next})");
            count += 1;
        }
        self.closes()?;
        match (takes_one, count) {
            (true, 1) => Ok(format!("{name}({spelled})")),
            (true, _) => Err(format!("{name} takes one value, and {count} are given")),
            (false, 1) => Err(format!("{name} takes two values, and one is given")),
            (false, 3..) if name == "atan2" => Err(format!("atan2 takes two values, and {count} are given")),
            (false, _) => Ok(format!("({spelled})")),
        }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST { Err("it has too many brackets within each other".to_owned()) } else { Ok(()) }
    }

    fn closes(&mut self) -> Result<(), String> {
        if self.takes(")") {
            return Ok(());
        }
        let part = self.next_part();
        Err(if part.is_empty() {
            "\"(\" is not closed".to_owned()
        } else {
            format!("\"{part}\" stands where an operator or \")\" is expected")
        })
    }

    fn takes(&mut self, wanted: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(wanted) else { return false };
        self.advance(rest);
        true
    }

    fn advance(&mut self, rest: &'t str) {
        self.rest = rest.trim_start();
    }

    /// What comes next, for a message: a name, a number or a sign.
    fn next_part(&self) -> &'t str {
        let length = match (name(self.rest).len(), number(self.rest)) {
            (0, Some(number)) => number.len(),
            (0, None) => self.rest.chars().next().map_or(0, char::len_utf8),
            (length, _) => length,
        };
        &self.rest[..length]
    }
}

fn is_letter(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

/// The name that a text begins with; empty where it begins with none.
fn name(text: &str) -> &str {
    let is_part = |letter: char| is_letter(letter) || letter.is_ascii_digit();
    let end = text.find(|letter: char| !is_part(letter)).unwrap_or(text.len());
    if text.starts_with(is_letter) { &text[..end] } else { "" }
}

/// The number that a text begins with: digits, a point, and an exponent.
fn number(text: &str) -> Option<&str> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    let mut end = whole;
    if text[end..].starts_with('.') {
        end += 1 + digits(end + 1);
    }
    if whole == 0 && end <= 1 {
        return None;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    Some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_functions_and_columns_are_spelled_in_brackets_and_sums_as_they_are() {
        for (text, wanted) in [
            ("TA * 1.8 + 32", "{TA}*1.8+32"),
            ("-T^2", "-(({T})^(2))"),
            ("2^3^2", "((2)^(((3)^(2))))"),
            ("2^-x", "((2)^(-{x}))"),
            ("5.67e-8*T^4", "0.0000000567*(({T})^(4))"),
            ("1E3 * {TS(1)}", "1000*{TS(1)}"),
            ("max(T, min(U, V), 7)", "((({T})max((({U})min({V}))))max(7))"),
            ("sqrt x ^ 2", "((sqrt({x}))^(2))"),
            ("max_T + min1", "{max_T}+{min1}"),
            (".5*(a - b)", "0.5*({a}-{b})"),
        ] {
            assert_eq!(spelled(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_formula_has_a_reason() {
        for (text, reason) in [
            ("", "it is empty"),
            ("TA +", "it ends where a value is expected"),
            ("(TA", "\"(\" is not closed"),
            ("TA)", "\")\" closes no bracket"),
            ("2 TA", "\"TA\" stands behind 2 without an operator"),
            ("TA TB", "\"TB\" stands where an operator is expected"),
            ("TA ** 2", "\"*\" stands where a value is expected"),
            ("1,5 * TA", "\",\" stands where an operator is expected"),
            ("TS(1) + 2", "TS is no function"),
            ("{TS(1) + 2", "\"{\" is not closed"),
            ("{} + TA", "{} names no column"),
            ("sqrt(T, U)", "sqrt takes one value, and 2 are given"),
            ("max(T)", "max takes two values, and one is given"),
            ("atan2(T, U, V)", "atan2 takes two values, and 3 are given"),
            ("T max U", "\"max\" stands where an operator is expected"),
            ("max T", "max is a function; write its values in brackets, as in max(A, B)"),
            ("T + 1e999", "1e999 is too large"),
            ("T + ²", "\"²\" stands where a value is expected"),
        ] {
            assert_eq!(spelled(text), Err(reason.to_owned()), "{text}");
        }
        assert!(spelled(&"(".repeat(100_000)).is_err());
        assert!(spelled(&format!("T{}", "^T".repeat(100_000))).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_stops_the_program(text in "[-+*/^(){},.eE0-9 a-cminsqrtx²é]{0,40}") {
            if let Ok(spelled) = spelled(&text) {
                proptest::prop_assert!(exmex::parse::<f64>(&spelled).is_ok(), "{text}: {spelled}");
            }
        }
    }
}
