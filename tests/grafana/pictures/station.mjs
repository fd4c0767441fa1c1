// A station with two days of rows up to now, of every kind that a dashboard draws in another way: lines with suspect, failed and
// missing values, directions, totals, a counter, and a table that stopped.

const DAY_S = 86_400;
const OFFSET_S = -5 * 3_600;

export const STATION = "US-UMB";

export function config(destination) {
    const air = (height) => `
[table.columns.AirTC_${height}]
variable = "TA"
height = "${height}m"
sensor = "HMP45C"
suspect = [2, 22]
fail = [-40, 60]
`;
    return `
[station]
name = "${STATION}"
utc_offset = "-05:00"
[destination]
kind = "influxdb"
${destination}

[[table]]
name = "met"
files = ["met.dat"]
measurement = "fastdata"
${air(46)}${air(34)}${air(3)}
[table.columns.WindDir]
variable = "WD"
height = "46m"
sensor = "CSAT3"
fail = [0, 360]
[table.columns.Rain_mm_Tot]
variable = "P"
fail = [0, 50]
[table.columns.Pulses]
kind = "counter"
quantity = "Pulses of the well's meter"
fail = [0, 100000]
[table.columns.CO2]
variable = "CO2"
height = "46m"
sensor = "IRGA"
suspect = [350, 500]
fail = [200, 1000]
[table.columns.Uz]
quantity = "Vertical wind speed"
height = "46m"
sensor = "CSAT3"
suspect = [-5, 5]
fail = [-30, 30]
[table.columns.PAR_Down]
variable = "PPFD_IN"
height = "37m"
suspect = [-10, 2400]
fail = [-50, 3000]
[table.columns.Cell_T]
quantity = "IRGA cell temperature"
sensor = "IRGA"

[[table]]
name = "soil"
files = ["soil.dat"]
measurement = "slowdata"
[table.columns.SoilT_5cm]
variable = "TS"
depth = "5cm"
suspect = [-10, 40]
fail = [-30, 60]
climatology = { bands = [{ hours = [0, 11], suspect = [7, 11] }, { hours = [12, 23], suspect = [8, 13] }] }
[table.columns.SWC_5cm]
variable = "SWC"
depth = "5cm"
suspect = [2, 60]
fail = [0, 100]

[[table]]
name = "well"
files = ["well.dat"]
measurement = "slowdata"

[[panel]]
title = "CO2 and vertical wind speed over time, 46 m"
columns = ["met/CO2"]
right = ["met/Uz"]
mean = "10m"
[[panel]]
title = "CO2 against vertical wind speed, 46 m"
kind = "scatter"
columns = ["met/Uz", "met/CO2"]
mean = "10m"
[[panel]]
title = "Newest values"
kind = "latest"
columns = ["met/AirTC_46", "met/PAR_Down", "met/CO2"]
`;
}

/// The same numbers in each run.
function dice(seed) {
    let state = seed;
    return () => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        return state / 2_147_483_648 - 0.5;
    };
}

function toa5(table, columns, rows) {
    const quoted = (cells) => cells.map((cell) => `"${cell}"`).join(",");
    const of = (place) => columns.map((column) => column[place]);
    return [
        quoted(["TOA5", "tower", "CR5000", "1041", "CR5000.Std.07", "CPU:tower.CR5", "6827", table]),
        quoted(["TIMESTAMP", "RECORD", ...of(0)]),
        quoted(["TS", "RN", ...of(1)]),
        quoted(["", "", ...of(2)]),
        ...rows.map(({ at, record, values }) => {
            const stamp = new Date((at + OFFSET_S) * 1_000).toISOString().slice(0, 19).replace("T", " ");
            return `"${stamp}",${record},${values.map((value) => (Number.isNaN(value) ? '"NAN"' : value.toFixed(3))).join(",")}`;
        }),
        "",
    ].join("\r\n");
}

const MET = [
    ["AirTC_46", "Deg C", "Avg"],
    ["AirTC_34", "Deg C", "Avg"],
    ["AirTC_3", "Deg C", "Avg"],
    ["WindDir", "degrees", "Smp"],
    ["Rain_mm_Tot", "mm", "Tot"],
    ["Pulses", "counts", "Smp"],
    ["CO2", "umol/mol", "Avg"],
    ["Uz", "m/s", "Avg"],
    ["PAR_Down", "umol/m2/s", "Avg"],
    ["Cell_T", "mV", "Avg"],
];

/// One row a minute. Times are counted back from the newest row, so each picture has the same faults at the same places.
function met(now) {
    const noise = dice(7);
    const rows = [];
    let pulses = 4_000;
    for (let back = (2 * DAY_S) / 60; back > 0; back -= 1) {
        const at = now - back * 60;
        pulses = back === 500 ? 0 : pulses + (back % 3 === 0 ? 1 : 0);
        // Two hours without a row.
        if (back > 780 && back <= 900) continue;
        const turn = ((((at + OFFSET_S) % DAY_S) / DAY_S) * 24 - 9) * (Math.PI / 12);
        const sun = Math.max(0, Math.sin(turn + Math.PI / 4));
        const air = [11 + 5 * Math.sin(turn - 0.4), 11.4 + 6 * Math.sin(turn - 0.25), 12 + 9 * Math.sin(turn)].map((value) => value + noise());
        // Failed and suspect values, and an hour of NAN.
        if (back % 173 === 20) air[0] = 7_999;
        if (back >= 300 && back < 320) air[1] = -9_999;
        if (back >= 1_000 && back < 1_060) air[2] = NaN;
        if (back >= 600 && back < 606) air[2] = 25 + noise();
        const isRaining = (back >= 240 && back < 400) || (back >= 1_500 && back < 1_560);
        const rain = isRaining ? Math.max(0, Math.round(4 * noise()) * 0.2) : 0;
        const gust = 0.6 * Math.sin(back / 70) + 0.4 * noise();
        const values = [
            ...air,
            back % 431 === 30 ? 7_999 : (((350 + 25 * Math.sin(back / 120) + 30 * noise()) % 360) + 360) % 360,
            rain,
            pulses,
            410 - 15 * sun + 6 * noise() - 3 * gust * sun,
            gust,
            1_800 * sun + 20 * noise() * sun,
            1_490 + 30 * Math.sin(turn),
        ];
        rows.push({ at, record: 100_000 - back, values });
    }
    return toa5("met", MET, rows);
}

/// One row each half hour, the newest of them five hours old.
function soil(now) {
    const newest = Math.floor((now - 5 * 3_600) / 1_800) * 1_800;
    const rows = [];
    for (let back = 96; back > 0; back -= 1) {
        const at = newest - (back - 1) * 1_800;
        const turn = (at % DAY_S) * ((2 * Math.PI) / DAY_S);
        rows.push({ at, record: 5_000 - back, values: [9.5 + 1.5 * Math.sin(turn), 22 + back / 40] });
    }
    return toa5("soil", [["SoilT_5cm", "Deg C", "Avg"], ["SWC_5cm", "%", "Avg"]], rows);
}

/// Files by their names. `now` is in seconds since 1970.
export function files(now) {
    const minute = Math.floor(now / 60) * 60;
    return { "met.dat": met(minute), "soil.dat": soil(minute) };
}
