//! Grafana's ids of units, so that axes, tooltips and alerts show the same unit.

/// Grafana's id for a unit; for other units, the unit as a suffix of the number.
pub(super) fn grafana(unit: &str) -> String {
    let id = match unit.trim() {
        "" => "short",
        "°C" | "degC" | "deg C" | "C" => "celsius",
        "K" => "kelvin",
        "%" => "percent",
        "m/s" | "m s-1" | "m s⁻¹" => "velocityms",
        "ppm" | "µmol mol-1" | "umol/mol" | "µmol/mol" | "µmol mol⁻¹" | "umol mol-1" => "ppm",
        "W/m²" | "W m-2" | "W/m2" | "W m⁻²" | "W/m^2" => "Wm2",
        "mV" => "mvolt",
        "V" => "volt",
        "A" => "amp",
        "mA" => "mamp",
        "kPa" => "pressurekpa",
        "hPa" => "pressurehpa",
        "mbar" => "pressurembar",
        "mm" => "lengthmm",
        "m" => "lengthm",
        "°" | "deg" => "degree",
        "s" => "s",
        "Hz" => "hertz",
        other => return format!("suffix: {other}"),
    };
    id.to_owned()
}
