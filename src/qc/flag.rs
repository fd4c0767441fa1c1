//! The five QARTOD flags and the rules for combining them.

/// One QARTOD flag. (Manual for Real-Time Oceanographic Data Quality Control Flags v1.2, doi:10.25923/w8y6-d298.)
///
/// The order is that of the roll-up, least first: a greater flag hides a lesser one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// There is no value.
    Missing,
    /// No test is configured, or none could be run.
    NotEvaluated,
    /// Every test that was run passed.
    Pass,
    /// Outside what is expected.
    Suspect,
    /// Outside what is possible.
    Fail,
}

impl Flag {
    /// The digit in the store and in line protocol.
    pub const fn digit(self) -> u8 {
        match self {
            Flag::Pass => b'1',
            Flag::NotEvaluated => b'2',
            Flag::Suspect => b'3',
            Flag::Fail => b'4',
            Flag::Missing => b'9',
        }
    }

    /// The flag of a digit.
    pub const fn from_digit(digit: u8) -> Option<Flag> {
        Some(match digit {
            b'1' => Flag::Pass,
            b'2' => Flag::NotEvaluated,
            b'3' => Flag::Suspect,
            b'4' => Flag::Fail,
            b'9' => Flag::Missing,
            _ => return None,
        })
    }

    /// The name in texts.
    pub const fn word(self) -> &'static str {
        match self {
            Flag::Pass => "pass",
            Flag::NotEvaluated => "not evaluated",
            Flag::Suspect => "suspect",
            Flag::Fail => "fail",
            Flag::Missing => "missing",
        }
    }

    /// The combined flag of two tests: 4 before 3 before 1 before 2 before 9 (ioos_qc 3.0 `qartod_compare`). It is not
    /// the larger digit: 4 and 9 give 4.
    #[inline]
    #[must_use]
    pub fn roll_up(self, other: Flag) -> Flag {
        self.max(other)
    }

    /// Whether the operator should know: suspect or fail.
    #[inline]
    pub fn is_raised(self) -> bool {
        self >= Flag::Suspect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_roll_up_by_qartods_precedence_and_not_by_the_larger_digit() {
        let flags = [Flag::Fail, Flag::Suspect, Flag::Pass, Flag::NotEvaluated, Flag::Missing];
        for (rank, high) in flags.iter().enumerate() {
            for low in &flags[rank..] {
                assert_eq!(high.roll_up(*low), *high);
                assert_eq!(low.roll_up(*high), *high);
            }
        }
    }

    #[test]
    fn a_digit_gives_back_its_flag() {
        for digit in [b'1', b'2', b'3', b'4', b'9'] {
            assert_eq!(Flag::from_digit(digit).map(Flag::digit), Some(digit));
        }
        assert_eq!(Flag::from_digit(b'0'), None);
    }
}
