//! Turbulence of scans in two passes, which knows nothing of the program's sums.

use std::collections::BTreeMap;

/// Of scans of u, v, w, Ts and a gas: each is rotated by itself, and then averaged. The air pressure is 98 kPa.
pub fn rotated(scans: &[[f64; 5]]) -> BTreeMap<&'static str, f64> {
    let mean = |of: &dyn Fn(&[f64; 5]) -> f64| scans.iter().map(of).sum::<f64>() / scans.len() as f64;
    let [u, v, w] = [0, 1, 2].map(|at| mean(&|scan: &[f64; 5]| scan[at]));
    let theta = v.atan2(u);
    let level = u * theta.cos() + v * theta.sin();
    let phi = w.atan2(level);
    let turned: Vec<[f64; 5]> = scans
        .iter()
        .map(|[u, v, w, ts, gas]| {
            let (along, across) = (u * theta.cos() + v * theta.sin(), -u * theta.sin() + v * theta.cos());
            [along * phi.cos() + w * phi.sin(), across, -along * phi.sin() + w * phi.cos(), *ts, *gas]
        })
        .collect();
    let means = [0, 1, 2, 3, 4].map(|at| turned.iter().map(|scan| scan[at]).sum::<f64>() / turned.len() as f64);
    let covariance = |one: usize, other: usize| {
        let products = turned.iter().map(|scan| (scan[one] - means[one]) * (scan[other] - means[other]));
        products.sum::<f64>() / turned.len() as f64
    };
    let density = 98_000.0 / (287.05 * (means[3] + 273.15));
    let friction = covariance(0, 2).hypot(covariance(1, 2));
    BTreeMap::from([
        ("WS_quick", means[0]),
        ("WD_quick_sonic", theta.to_degrees().rem_euclid(360.0)),
        ("USTAR_quick", friction.sqrt()),
        ("W_SIGMA_quick", covariance(2, 2).sqrt()),
        ("w_Ts_quick", covariance(2, 3)),
        ("H_quick", density * 1_005.0 * covariance(2, 3)),
        ("TAU_quick", -density * friction),
        ("w_CO2_quick", covariance(2, 4)),
    ])
}
