//! The five QARTOD flags.

/// One QARTOD flag. (Manual for Real-Time Oceanographic Data Quality Control Flags v1.2, doi:10.25923/w8y6-d298.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// Every configured test passed.
    Pass,
    /// No test is configured.
    NotEvaluated,
    /// Outside what is expected.
    Suspect,
    /// Outside what is possible.
    Fail,
    /// There is no value.
    Missing,
}

impl Flag {
    /// The digit that stands in the store and goes out on the wire.
    pub const fn digit(self) -> u8 {
        match self {
            Flag::Pass => b'1',
            Flag::NotEvaluated => b'2',
            Flag::Suspect => b'3',
            Flag::Fail => b'4',
            Flag::Missing => b'9',
        }
    }
}
