//! The process by which a data logger made a value of a sensor's scans, as line 4 of a TOA5 file states it.

/// The output instruction for a column. (Campbell Scientific, field name suffixes of LoggerNet.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// One scan at the row's time.
    Sample,
    /// Mean of the scans.
    Average,
    /// Sum of the scans.
    Total,
    /// The largest scan.
    Maximum,
    /// The smallest scan.
    Minimum,
    /// The time of the largest or the smallest scan.
    TimeOfExtreme,
    /// One scan at the time of the largest or the smallest scan of another sensor (SampleMaxMin).
    SampleAtExtreme,
    /// Standard deviation of the scans.
    Deviation,
    /// Covariance of two sensors over the scans.
    Covariance,
    /// One of the results of the wind vector instruction: speed, direction or the deviation of the direction.
    WindVector,
}

impl Process {
    /// The process with this code, in upper or lower case; None for a code that says nothing about how values are
    /// combined, and for an empty one.
    pub fn of(code: &str) -> Option<Process> {
        Some(match code.trim().to_ascii_lowercase().as_str() {
            "smp" => Process::Sample,
            "avg" => Process::Average,
            // Evapotranspiration over the interval, by CRBasic's ETsz.
            "tot" | "etxs" | "etsz" => Process::Total,
            "max" => Process::Maximum,
            "min" => Process::Minimum,
            "tmx" | "tmn" => Process::TimeOfExtreme,
            "smm" => Process::SampleAtExtreme,
            "std" => Process::Deviation,
            "cov" => Process::Covariance,
            "wvc" => Process::WindVector,
            _ => return None,
        })
    }

    /// A description of the value in plain English.
    pub fn text(self) -> &'static str {
        match self {
            Process::Sample => "sample",
            Process::Average => "mean",
            Process::Total => "total",
            Process::Maximum => "maximum",
            Process::Minimum => "minimum",
            Process::TimeOfExtreme => "time of an extreme",
            Process::SampleAtExtreme => "sample at an extreme",
            Process::Deviation => "standard deviation",
            Process::Covariance => "covariance",
            Process::WindVector => "wind vector",
        }
    }

    /// Whether its sources are numbers: a logger samples texts, but does not compute their mean or maximum.
    pub fn is_of_numbers(self) -> bool {
        !matches!(self, Process::Sample | Process::SampleAtExtreme | Process::TimeOfExtreme)
    }

    /// Whether a value is that of a single scan, and not a mean or sum of several.
    pub fn is_scan(self) -> bool {
        matches!(self, Process::Sample | Process::SampleAtExtreme | Process::Maximum | Process::Minimum)
    }

    /// Whether its results are numbers.
    pub fn is_number(self) -> bool {
        self != Process::TimeOfExtreme
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evapotranspiration_of_an_interval_is_a_total() {
        assert_eq!((Process::of("ETXs"), Process::of("Tot")), (Some(Process::Total), Some(Process::Total)));
        assert_eq!((Process::of("RSo"), Process::of("")), (None, None));
    }
}
