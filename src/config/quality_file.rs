//! What may stand in the TOML file about QC. As [`super::file`], of which it is a part.

use serde::Deserialize;
use toml::Spanned;

use super::file::{Numbers, Text, Texts};

/// A number that may be there.
pub(super) type Number = Option<Spanned<f64>>;
/// Two whole numbers that may be there.
pub(super) type Whole = Option<Spanned<Vec<i64>>>;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct QcSection {
    pub wait: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimesSection {
    pub suspect: Text,
    pub fail: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpikeSection {
    pub suspect: Number,
    pub fail: Number,
    pub method: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateSection {
    pub suspect: Number,
    pub fail: Number,
    pub per: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlatLineSection {
    pub suspect: Text,
    pub fail: Text,
    pub tolerance: Number,
    pub except: Numbers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttenuatedSection {
    pub suspect: Number,
    pub fail: Number,
    pub window: Text,
    pub by: Text,
    pub least: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClimatologySection {
    pub file: Text,
    pub variable: Text,
    pub suspect: Texts,
    pub fail: Texts,
    pub margin: Number,
    pub bands: Option<Spanned<Vec<Spanned<BandSection>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BandSection {
    pub months: Whole,
    pub days: Whole,
    pub hours: Whole,
    pub dates: Texts,
    pub suspect: Numbers,
    pub fail: Numbers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairSection {
    pub name: Text,
    pub table: Text,
    pub column: Text,
    pub against_table: Text,
    pub against: Text,
    pub difference: Option<Spanned<NumbersSection>>,
    pub ratio: Option<Spanned<RatioSection>>,
    pub when: Option<Spanned<WhenSection>>,
    pub within: Text,
    pub flags: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumbersSection {
    pub suspect: Number,
    pub fail: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RatioSection {
    pub suspect: Numbers,
    pub fail: Numbers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhenSection {
    pub column: Text,
    pub above: Number,
    pub below: Number,
}
