//! The names of quantities, and their rows on the board.
//!
//! A column's quantity follows from its AmeriFlux variable, unless the configuration gives one. Some variables are
//! parts of one quantity that is shown as a whole: the four components of radiation and their sum share a panel.

use crate::ameriflux;
use crate::config::Level;

/// The row of a quantity's panels. The order of the variants is that of the board.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    Air,
    Wind,
    Gases,
    Fluxes,
    /// A gas analyser's own state: millimetres downwards, so that the highest comes first, and the label of its level.
    Analyser(i64, String),
    Radiation,
    Soil,
    Water,
    Precipitation,
    Vegetation,
    /// A row of the configuration, by its position there and its title.
    Own(usize, String),
    Comparisons,
    Diagnostics,
    Logger,
    Other,
}

impl Place {
    /// The row's title.
    pub(super) fn title(&self) -> String {
        let title = match self {
            Place::Air => "Temperature and humidity",
            Place::Wind => "Wind",
            Place::Gases => "Gases",
            Place::Fluxes => "Fluxes",
            Place::Analyser(_, level) if level.is_empty() => "IRGA",
            Place::Analyser(_, level) => return format!("IRGA {level}"),
            Place::Radiation => "Radiation",
            Place::Soil => "Soil",
            Place::Water => "Water",
            Place::Precipitation => "Precipitation and snow",
            Place::Vegetation => "Vegetation",
            Place::Own(_, title) => return title.clone(),
            Place::Comparisons => "Comparisons",
            Place::Diagnostics => "Diagnostics",
            Place::Logger => "Logger",
            Place::Other => "Other",
        };
        title.to_owned()
    }
}

/// A quantity of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quantity {
    /// "Air temperature".
    pub(super) name: String,
    /// The part: "short-wave in"; empty where the quantity has no parts.
    pub(super) part: &'static str,
    pub(super) place: Place,
}

/// An AmeriFlux base variable, its quantity, its part, and its row.
type Row = (&'static str, &'static str, &'static str, Place);

/// In the order within a row of the board.
const QUANTITIES: &[Row] = &[
    ("TA", "Air temperature", "", Place::Air),
    ("RH", "Relative humidity", "", Place::Air),
    ("T_SONIC", "Sonic temperature", "", Place::Air),
    ("T_SONIC_SIGMA", "Spread of sonic temperature", "", Place::Air),
    ("VPD", "Vapour pressure deficit", "", Place::Air),
    ("PA", "Air pressure", "", Place::Air),
    ("PBLH", "Boundary layer height", "", Place::Air),
    ("WS", "Wind speed", "mean", Place::Wind),
    ("WS_MAX", "Wind speed", "gust", Place::Wind),
    ("WD", "Wind direction", "", Place::Wind),
    ("USTAR", "Friction velocity", "", Place::Wind),
    ("U_SIGMA", "Spread of wind", "along", Place::Wind),
    ("V_SIGMA", "Spread of wind", "across", Place::Wind),
    ("W_SIGMA", "Spread of wind", "vertical", Place::Wind),
    ("MO_LENGTH", "Monin-Obukhov length", "", Place::Wind),
    ("ZL", "Stability", "", Place::Wind),
    ("CO2", "CO2 concentration", "", Place::Gases),
    ("CO2_MIXING_RATIO", "CO2 mixing ratio", "", Place::Gases),
    ("CO2_SIGMA", "Spread of CO2", "", Place::Gases),
    ("CO2C13", "Carbon isotopes of CO2", "", Place::Gases),
    ("H2O", "H2O concentration", "", Place::Gases),
    ("H2O_MIXING_RATIO", "H2O mixing ratio", "", Place::Gases),
    ("H2O_SIGMA", "Spread of H2O", "", Place::Gases),
    ("CH4", "CH4 concentration", "", Place::Gases),
    ("CH4_MIXING_RATIO", "CH4 mixing ratio", "", Place::Gases),
    ("N2O", "N2O concentration", "", Place::Gases),
    ("N2O_MIXING_RATIO", "N2O mixing ratio", "", Place::Gases),
    ("CO", "CO concentration", "", Place::Gases),
    ("NO", "NO concentration", "", Place::Gases),
    ("NO2", "NO2 concentration", "", Place::Gases),
    ("O3", "O3 concentration", "", Place::Gases),
    ("SO2", "SO2 concentration", "", Place::Gases),
    ("NEE", "Carbon flux", "net exchange", Place::Fluxes),
    ("FC", "Carbon flux", "turbulent", Place::Fluxes),
    ("SC", "Carbon flux", "storage", Place::Fluxes),
    ("RECO", "Carbon flux", "respiration", Place::Fluxes),
    ("GPP", "Carbon flux", "photosynthesis", Place::Fluxes),
    ("H", "Heat flux", "sensible", Place::Fluxes),
    ("LE", "Heat flux", "latent", Place::Fluxes),
    ("SH", "Heat storage", "sensible", Place::Fluxes),
    ("SLE", "Heat storage", "latent", Place::Fluxes),
    ("SG", "Heat storage", "soil", Place::Fluxes),
    ("SB", "Heat storage", "biomass", Place::Fluxes),
    ("TAU", "Momentum flux", "", Place::Fluxes),
    ("FCH4", "CH4 flux", "turbulent", Place::Fluxes),
    ("SCH4", "CH4 flux", "storage", Place::Fluxes),
    ("FN2O", "N2O flux", "turbulent", Place::Fluxes),
    ("SN2O", "N2O flux", "storage", Place::Fluxes),
    ("FNO", "NO flux", "turbulent", Place::Fluxes),
    ("SNO", "NO flux", "storage", Place::Fluxes),
    ("FNO2", "NO2 flux", "turbulent", Place::Fluxes),
    ("SNO2", "NO2 flux", "storage", Place::Fluxes),
    ("FO3", "O3 flux", "turbulent", Place::Fluxes),
    ("SO3", "O3 flux", "storage", Place::Fluxes),
    ("SW_IN", "Radiation", "short-wave in", Place::Radiation),
    ("SW_OUT", "Radiation", "short-wave out", Place::Radiation),
    ("LW_IN", "Radiation", "long-wave in", Place::Radiation),
    ("LW_OUT", "Radiation", "long-wave out", Place::Radiation),
    ("NETRAD", "Radiation", "net", Place::Radiation),
    ("SW_DIF", "Radiation", "short-wave diffuse", Place::Radiation),
    ("SW_DIR", "Radiation", "short-wave direct", Place::Radiation),
    ("PPFD_IN", "PPFD", "incoming", Place::Radiation),
    ("PPFD_DIF", "PPFD", "diffuse", Place::Radiation),
    ("PPFD_DIR", "PPFD", "direct", Place::Radiation),
    ("PPFD_OUT", "PPFD", "outgoing", Place::Radiation),
    ("SW_BC_IN", "Radiation below canopy", "short-wave in", Place::Radiation),
    ("SW_BC_OUT", "Radiation below canopy", "short-wave out", Place::Radiation),
    ("LW_BC_IN", "Radiation below canopy", "long-wave in", Place::Radiation),
    ("LW_BC_OUT", "Radiation below canopy", "long-wave out", Place::Radiation),
    ("PPFD_BC_IN", "PPFD below canopy", "incoming", Place::Radiation),
    ("PPFD_BC_OUT", "PPFD below canopy", "outgoing", Place::Radiation),
    ("PPFD_UW_IN", "PPFD under water", "", Place::Radiation),
    ("APAR", "Absorbed PPFD", "", Place::Radiation),
    ("R_UVA", "Ultraviolet radiation", "UV-A", Place::Radiation),
    ("R_UVB", "Ultraviolet radiation", "UV-B", Place::Radiation),
    ("ALB", "Albedo", "", Place::Radiation),
    ("FAPAR", "Fraction of PPFD", "absorbed", Place::Radiation),
    ("FIPAR", "Fraction of PPFD", "intercepted", Place::Radiation),
    ("TS", "Soil temperature", "", Place::Soil),
    ("SWC", "Soil moisture", "", Place::Soil),
    ("SWP", "Soil water potential", "", Place::Soil),
    ("G", "Soil heat flux", "", Place::Soil),
    ("TW", "Water temperature", "", Place::Water),
    ("WTD", "Water table depth", "", Place::Water),
    ("COND_WATER", "Conductivity of water", "", Place::Water),
    ("DO", "Oxygen in water", "", Place::Water),
    ("PCO2", "Gas in water", "CO2", Place::Water),
    ("PCH4", "Gas in water", "CH4", Place::Water),
    ("PN2O", "Gas in water", "N2O", Place::Water),
    ("P", "Precipitation", "all", Place::Precipitation),
    ("P_RAIN", "Precipitation", "rain", Place::Precipitation),
    ("P_SNOW", "Precipitation", "snow", Place::Precipitation),
    ("THROUGHFALL", "Precipitation", "throughfall", Place::Precipitation),
    ("STEMFLOW", "Stemflow", "", Place::Precipitation),
    ("RUNOFF", "Runoff", "", Place::Precipitation),
    ("D_SNOW", "Snow depth", "", Place::Precipitation),
    ("TSN", "Snow temperature", "", Place::Precipitation),
    ("T_CANOPY", "Canopy temperature", "", Place::Vegetation),
    ("T_BOLE", "Bole temperature", "", Place::Vegetation),
    ("LEAF_WET", "Leaf wetness", "", Place::Vegetation),
    ("SAP_FLOW", "Sap flow", "", Place::Vegetation),
    ("SAP_DT", "Sap flow probe temperature difference", "", Place::Vegetation),
    ("DBH", "Stem diameter", "", Place::Vegetation),
    ("NDVI", "NDVI", "", Place::Vegetation),
    ("PRI", "PRI", "", Place::Vegetation),
];

/// Text that decides the row of a quantity from the configuration. The first that is found decides.
const KEYWORDS: &[(&str, Place)] = &[
    ("irga", Place::Analyser(0, String::new())),
    ("analyser", Place::Analyser(0, String::new())),
    ("analyzer", Place::Analyser(0, String::new())),
    ("cell ", Place::Analyser(0, String::new())),
    ("battery", Place::Logger),
    ("logger", Place::Logger),
    ("diagnostic", Place::Diagnostics),
    ("soil", Place::Soil),
    ("snow", Place::Precipitation),
    ("rain", Place::Precipitation),
    ("precipitation", Place::Precipitation),
    ("wind", Place::Wind),
    ("turbulence", Place::Wind),
    ("radiation", Place::Radiation),
    ("light", Place::Radiation),
    ("ppfd", Place::Radiation),
    ("sap", Place::Vegetation),
    ("leaf", Place::Vegetation),
    ("canopy", Place::Vegetation),
    ("water", Place::Water),
    ("lake", Place::Water),
    ("flux", Place::Fluxes),
    ("concentration", Place::Gases),
    ("mixing ratio", Place::Gases),
    ("density", Place::Gases),
    ("air", Place::Air),
    ("humidity", Place::Air),
];

/// Beginnings of the names of loggers' own columns, in lower case without signs.
const LOGGERS_OWN: &[(&str, &str)] = &[
    ("batt", "Battery voltage"),
    ("ptemp", "Logger temperature"),
    ("paneltemp", "Logger temperature"),
    ("loggertemp", "Logger temperature"),
    ("logt", "Logger temperature"),
];

impl Quantity {
    /// The quantity of a column: as configured, otherwise by its variable, otherwise by a name that loggers use for
    /// their own columns.
    pub(super) fn of(
        configured: Option<&str>,
        variable: Option<&str>,
        name: &str,
        level: Option<&Level>,
    ) -> Option<Quantity> {
        let of_variable = variable.and_then(ameriflux::lookup).map(|variable| by_variable(variable.name));
        match (configured, of_variable) {
            (Some(name), Some(known)) if name.eq_ignore_ascii_case(&known.name) => {
                Some(Quantity { name: name.to_owned(), ..known })
            }
            (Some(name), _) => Some(Quantity { name: name.to_owned(), part: "", place: place(name, level) }),
            (None, Some(known)) => Some(known),
            (None, None) => of_logger(name),
        }
    }

    /// Its position in its row.
    pub(super) fn rank(&self) -> usize {
        QUANTITIES.iter().position(|(_, name, ..)| *name == self.name).unwrap_or(QUANTITIES.len())
    }

    /// The position of its part.
    pub(super) fn part_rank(&self) -> usize {
        let is_it = |(_, name, part, _): &Row| *name == self.name && *part == self.part;
        QUANTITIES.iter().position(is_it).unwrap_or(QUANTITIES.len())
    }
}

/// The quantity of a variable; a rare variable keeps its own name.
fn by_variable(variable: &str) -> Quantity {
    match QUANTITIES.iter().find(|(known, ..)| *known == variable) {
        Some((_, name, part, place)) => Quantity { name: (*name).to_owned(), part, place: place.clone() },
        None => Quantity { name: variable.to_owned(), part: "", place: Place::Other },
    }
}

fn place(name: &str, level: Option<&Level>) -> Place {
    if let Some((.., place)) = QUANTITIES.iter().find(|(_, known, ..)| known.eq_ignore_ascii_case(name)) {
        return place.clone();
    }
    let name = name.to_lowercase();
    match KEYWORDS.iter().find(|(keyword, _)| name.contains(keyword)).map(|(_, place)| place) {
        Some(Place::Analyser(..)) => match level {
            Some(level) => Place::Analyser(-level.key().0, level.label.clone()),
            None => Place::Analyser(0, String::new()),
        },
        Some(place) => place.clone(),
        None => Place::Other,
    }
}

fn of_logger(name: &str) -> Option<Quantity> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let (_, quantity) = LOGGERS_OWN.iter().find(|(begin, _)| plain.starts_with(begin))?;
    Some(Quantity { name: (*quantity).to_owned(), part: "", place: Place::Logger })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: Option<&str>, variable: Option<&str>, name: &str) -> Option<(String, &'static str, String)> {
        let level = Level { metres: 46.0, label: "46 m".to_owned() };
        let quantity = Quantity::of(said, variable, name, Some(&level))?;
        Some((quantity.name, quantity.part, quantity.place.title()))
    }

    #[test]
    fn every_variable_of_the_table_is_amerifluxs() {
        for (variable, ..) in QUANTITIES {
            assert_eq!(ameriflux::lookup(variable).map(|found| found.name), Some(*variable));
        }
    }

    #[test]
    fn a_quantity_is_configured_or_follows_from_the_variable() {
        for (said, variable, name, expected) in [
            (None, Some("TA_1_1_1"), "x", Some(("Air temperature", "", "Temperature and humidity"))),
            (None, Some("LW_OUT"), "x", Some(("Radiation", "long-wave out", "Radiation"))),
            (Some("radiation"), Some("LW_OUT"), "x", Some(("radiation", "long-wave out", "Radiation"))),
            (Some("IRGA cell temperature"), Some("TA"), "x", Some(("IRGA cell temperature", "", "IRGA 46 m"))),
            (Some("Vertical wind speed"), None, "Uz", Some(("Vertical wind speed", "", "Wind"))),
            (Some("Wind speed"), None, "x", Some(("Wind speed", "", "Wind"))),
            (Some("Mystery"), None, "x", Some(("Mystery", "", "Other"))),
            (None, Some("FETCH_70"), "x", Some(("FETCH_70", "", "Other"))),
            (None, None, "Batt_Volt_Min", Some(("Battery voltage", "", "Logger"))),
            (None, None, "PTemp_C_Avg", Some(("Logger temperature", "", "Logger"))),
            (None, None, "calPPFD", None),
        ] {
            let expected = expected.map(|(name, part, row): (&str, _, &str)| (name.to_owned(), part, row.to_owned()));
            assert_eq!(of(said, variable, name), expected, "{said:?} {variable:?} {name}");
        }
    }
}
