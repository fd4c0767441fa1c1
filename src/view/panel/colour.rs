//! A colour for every level of the station, the same on every panel.
//!
//! Users at US-UMB know 46 m as red, 34 m as yellow, 22 m and 15 m as green, 7 m as purple, 3 m as light blue and 0 m
//! as blue, and in the soil 1 m as red, 50 cm as blue, 20 cm as yellow, 7.5 cm as purple and 2 cm as green. The hues
//! here are the same, but darker: the earlier dashboard was dark only, and a light yellow is invisible on paper. Every
//! colour has a contrast of at least 3 : 1 on white and on #111 (WCAG 1.4.11), so yellow is ochre. Between these two
//! bounds there is little room for differences in lightness, which users with red-green colour blindness need. Hue and
//! lightness of the eight colours are therefore chosen together, so that the two most similar ones are as far apart as
//! possible for three kinds of colour vision (tests below).
//!
//! Levels are coloured like a map: two levels that a panel compares never share a colour; two that are never compared
//! may (22 m of the gases, 15 m of the temperatures).

use std::collections::{BTreeMap, BTreeSet};

use super::Level;

/// A colour and a dash, so that no two series differ by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// 0 is a solid line, 1 to 3 are dashes that get shorter.
    pub hex: &'static str,
    /// 0 is a full line, 1 to 3 ever shorter dashes.
    pub dash: u8,
}

const RED: &str = "#c83330";
const YELLOW: &str = "#c88501";
const GREEN: &str = "#15a86a";
const PURPLE: &str = "#7f0ffe";
const LIGHT_BLUE: &str = "#1699d1";
const BLUE: &str = "#3875eb";
const PINK: &str = "#dc1ba5";
const GREY: &str = "#725e64";

/// From the top of the tower downwards.
const HEIGHTS: [&str; 8] = [RED, YELLOW, GREEN, PURPLE, LIGHT_BLUE, BLUE, PINK, GREY];
/// From the deepest upwards.
const DEPTHS: [&str; 8] = [RED, BLUE, YELLOW, PURPLE, GREEN, LIGHT_BLUE, PINK, GREY];
/// For panels that compare no levels: neighbours differ clearly, and red is late, because alone it looks like an alarm.
const IN_ORDER: [&str; 8] = [BLUE, YELLOW, PURPLE, GREEN, RED, PINK, LIGHT_BLUE, GREY];
/// A solid line and three dashes.
const DASHES: u8 = 4;

/// The key of a level.
pub(super) type Key = (i64, bool, String);

/// The colour of each level of a station.
#[derive(Debug, Default)]
pub(super) struct LevelColours {
    colours: BTreeMap<Key, Colour>,
}

impl LevelColours {
    /// From the sets of compared levels, the most important set first.
    pub(super) fn new(sets: &[BTreeSet<Key>]) -> LevelColours {
        let mut known = LevelColours::default();
        for set in sets {
            let (depths, heights): (Vec<&Key>, Vec<&Key>) = set.iter().partition(|(_, is_height, _)| !is_height);
            // Sorted upwards: depths begin with the deepest, heights end with the highest.
            for (level, palette) in heights
                .into_iter()
                .rev()
                .map(|level| (level, &HEIGHTS))
                .chain(depths.into_iter().map(|level| (level, &DEPTHS)))
            {
                if !known.colours.contains_key(level) {
                    let taken = known.beside(level, sets);
                    let colour = combinations(palette).find(|colour| !taken.contains(colour));
                    known.colours.insert(level.clone(), colour.unwrap_or(Colour { hex: palette[0], dash: 0 }));
                }
            }
        }
        known
    }

    /// Colours of the levels that are compared with this one.
    fn beside(&self, level: &Key, sets: &[BTreeSet<Key>]) -> Vec<Colour> {
        let neighbours = sets.iter().filter(|set| set.contains(level)).flatten();
        neighbours.filter_map(|other| self.colours.get(other).copied()).collect()
    }

    /// Colours of the series of a panel. `by_level` is false where the panel compares something other than levels.
    pub(super) fn of(&self, levels: &[Option<&Level>], by_level: bool) -> Vec<Colour> {
        let mut given: Vec<Colour> = Vec::with_capacity(levels.len());
        let mut in_order = combinations(&IN_ORDER);
        for level in levels {
            let of_level = level.filter(|_| by_level).and_then(|level| self.colours.get(&level.key()));
            // A second sensor at a height has the height's colour and another dash.
            let dashed = of_level.and_then(|colour| {
                let dashes = (0..DASHES).map(|more| Colour { dash: (colour.dash + more) % DASHES, ..*colour });
                dashes.into_iter().find(|colour| !given.contains(colour))
            });
            let free = dashed.or_else(|| in_order.find(|colour| !given.contains(colour)));
            given.push(free.unwrap_or(Colour { hex: GREY, dash: DASHES - 1 }));
        }
        given
    }
}

fn combinations<'p>(palette: &'p [&'static str]) -> impl Iterator<Item = Colour> + use<'p> {
    (0..DASHES).flat_map(move |dash| palette.iter().map(move |hex| Colour { hex, dash }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue as light.
    fn light(hex: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| {
            let part = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn luminance(hex: &str) -> f64 {
        let [r, g, b] = light(hex);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// WCAG 2.
    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// CIE L*a*b* (D65) of light.
    fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = f((0.412_456 * r + 0.357_576 * g + 0.180_438 * b) / 0.950_47);
        let y = f(0.212_673 * r + 0.715_152 * g + 0.072_175 * b);
        let z = f((0.019_334 * r + 0.119_192 * g + 0.950_304 * b) / 1.088_83);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// Machado, Oliveira and Fernandes 2009, full severity: no simulation, without red cones, without green cones.
    const EYES: [[[f64; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    ];

    fn seen(hex: &str, eye: &[[f64; 3]; 3]) -> [f64; 3] {
        let light = light(hex);
        lab(eye.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0)))
    }

    #[test]
    fn every_colour_is_legible_on_white_and_on_near_black() {
        for hex in HEIGHTS {
            for ground in ["#ffffff", "#111111"] {
                assert!(contrast(hex, ground) >= 3.0, "{hex} on {ground}: {}", contrast(hex, ground));
            }
        }
    }

    #[test]
    fn any_two_colours_differ_clearly_for_every_eye() {
        for eye in &EYES {
            for (at, one) in HEIGHTS.iter().enumerate() {
                for other in &HEIGHTS[..at] {
                    let (a, b) = (seen(one, eye), seen(other, eye));
                    let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    // About 2 is just visible side by side; lines cross with more between them.
                    assert!(apart >= 20.0, "{one} and {other}: {apart}");
                }
            }
        }
    }

    #[test]
    fn the_three_palettes_hold_the_same_colours() {
        let sorted = |palette: [&'static str; 8]| palette.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(sorted(HEIGHTS), sorted(DEPTHS));
        assert_eq!(sorted(HEIGHTS), sorted(IN_ORDER));
        assert_eq!(sorted(HEIGHTS).len(), 8);
    }

    fn height(metres: i64) -> Key {
        (metres * 1_000, true, String::new())
    }

    #[test]
    fn users_find_their_familiar_colours() {
        let set = |metres: &[i64]| metres.iter().map(|metres| height(*metres)).collect::<BTreeSet<_>>();
        let known = LevelColours::new(&[set(&[46, 34, 22, 7, 3, 0]), set(&[46, 34, 15, 3])]);
        for (metres, hex) in
            [(46, RED), (34, YELLOW), (22, GREEN), (15, GREEN), (7, PURPLE), (3, LIGHT_BLUE), (0, BLUE)]
        {
            assert_eq!(known.colours[&height(metres)], Colour { hex, dash: 0 }, "{metres} m");
        }
        let depth = |millimetres: i64| (-millimetres, false, String::new());
        let known = LevelColours::new(&[[20, 75, 200, 500, 1_000].map(depth).into_iter().collect()]);
        for (millimetres, hex) in [(1_000, RED), (500, BLUE), (200, YELLOW), (75, PURPLE), (20, GREEN)] {
            assert_eq!(known.colours[&depth(millimetres)], Colour { hex, dash: 0 }, "{millimetres} mm");
        }
    }

    #[test]
    fn a_second_sensor_at_a_height_is_dashed_and_no_two_series_look_alike() {
        let known = LevelColours::new(&[BTreeSet::from([height(46), height(34)])]);
        let (high, low) = (Level { metres: 46.0, label: String::new() }, Level { metres: 34.0, label: String::new() });
        let colours = known.of(&[Some(&high), Some(&high), Some(&low)], true);
        assert_eq!(colours[1], Colour { dash: 1, ..colours[0] });
        let many = known.of(&[Some(&high); 24], true);
        assert!((0..24).all(|at| !many[..at].contains(&many[at])));
    }
}
