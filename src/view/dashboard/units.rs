//! Grafana's ids of units, so that axes, tooltips and alerts show the same unit.
//!
//! Units that Grafana scales are not among them: it writes 1500 mV as "1.50 V" and 0.2 mm as "200 µm".

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
        "kPa" => "pressurekpa",
        "hPa" => "pressurehpa",
        "°" | "deg" => "degree",
        other => return format!("suffix:{other}"),
    };
    id.to_owned()
}
