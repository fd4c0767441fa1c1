#!/usr/bin/env python3
"""Half hours and turbulence by pandas and numpy, for tests/real_files/half_hours.rs.

    tests/half_hours/reference.py FOLDER minutes          writes FOLDER/minutes.dat and FOLDER/minutes.json
    tests/half_hours/reference.py FOLDER scans            reads FOLDER/scans.txt and writes FOLDER/scans.json

Needs the Python package pandas, which brings numpy. Nothing here is taken from fluxtower: the rules are those of
docs/half-hours.md, written down a second time.

`minutes` makes thirty days of one-minute rows of every kind of column, with gaps, missing values and values that fail, the
same in each run. `scans` takes ten scans a second of a sonic anemometer and a gas analyser: half an hour of 24 June 2023, the
example exampledata_GENERIC-TXT-EDDY-COVARIANCE-10Hz-2023-06-24-03-30_LGRData.txt of the Python package diive.
"""
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

FAILS = {"AirTC_Avg": (-60, 60), "Rain_mm_Tot": (0, 3)}
SENTINEL = 7999.0
COLUMNS = {
    "AirTC_Avg": ("Deg C", "Avg"), "AirTC_Std": ("Deg C", "Std"), "AirTC_Max": ("Deg C", "Max"), "RH_Min": ("%", "Min"),
    "Rain_mm_Tot": ("mm", "Tot"), "WS_S_WVT": ("m/s", "WVc"), "WS_D1_WVT": ("Deg", "WVc"), "Uz_Avg": ("m/s", "Avg"),
    "cov_Uz_AirTC": ("", "Cov"), "Acc": ("mm", "Smp"), "diag": ("", "Smp"), "Psi": ("kPa", "Avg"),
}
# With less than this share of its rows, a half hour has no value.
LEAST = 0.5
PRESSURE_KPA = 98.0


def make(folder):
    """The file, and its values as a reader sees them: NaN where the logger wrote NAN, a sentinel stays one."""
    dice = np.random.default_rng(31)
    times = pd.date_range("2026-06-01 00:01", periods=30 * 1440, freq="min")
    n = len(times)
    phase = np.arange(n) / 220.0
    rain = np.where(dice.random(n) < 0.05, dice.random(n) * 2, 0).round(3)
    air = (15 + 8 * np.sin(phase) + dice.random(n)).round(4)
    total = rain.cumsum()
    for reset in (9_000, 23_456, 40_001):
        total[reset:] -= total[reset]
    frame = pd.DataFrame({
        "AirTC_Avg": air,
        "AirTC_Std": (0.1 + 0.5 * dice.random(n)).round(5),
        "AirTC_Max": (air + 2 * dice.random(n)).round(3),
        "RH_Min": (60 + 30 * dice.random(n)).round(2),
        "Rain_mm_Tot": rain,
        "WS_S_WVT": (9 * dice.random(n)).round(3),
        "WS_D1_WVT": ((355 + 20 * np.cos(phase) + 30 * dice.random(n)) % 360).round(2),
        "Uz_Avg": (0.4 * dice.random(n) - 0.2).round(6),
        "cov_Uz_AirTC": (0.2 * dice.random(n) - 0.1).round(7),
        "Acc": total.round(3),
        "diag": (2.0 ** dice.integers(0, 6, n)),
        # Large beside its spread.
        "Psi": (1e6 + dice.random(n)).round(4),
    }, index=times)
    bad_hours = times.hour % 5 == 0
    for name in frame:
        chance = dice.random(n) * np.where(bad_hours, 16, 240)
        frame.loc[chance < 1, name] = np.nan
        frame.loc[(chance >= 1) & (chance < 2), name] = SENTINEL
    frame.loc[dice.random(n) < 1 / 60, "AirTC_Avg"] = 99.9
    frame.loc[dice.random(n) < 1 / 200, "Rain_mm_Tot"] = 4.5
    kept = np.ones(n, dtype=bool)
    for start in np.flatnonzero(dice.random(n) < 1 / 300):
        kept[start:start + int(dice.integers(1, 400 if dice.random() < 0.1 else 25))] = False
    frame = frame[kept]

    def spelled(value):
        return '"NAN"' if np.isnan(value) else repr(float(value)).removesuffix(".0")

    quoted = ",".join
    lines = [
        '"TOA5","tower","CR1000X","4711","Std.05","CPU:met.CR1X","20250","met"',
        quoted(f'"{name}"' for name in ["TIMESTAMP", "RECORD", *COLUMNS]),
        quoted(f'"{unit}"' for unit in ["TS", "RN", *(unit for unit, _ in COLUMNS.values())]),
        quoted(f'"{process}"' for process in ["", "", *(process for _, process in COLUMNS.values())]),
    ]
    for record, (time, row) in enumerate(zip(frame.index, frame.itertuples(index=False))):
        lines.append(f'"{time:%Y-%m-%d %H:%M:%S}",{record},' + ",".join(spelled(value) for value in row))
    (folder / "minutes.dat").write_text("".join(line + "\r\n" for line in lines), encoding="ascii")
    return frame


def mean(values):
    return values.mean() if len(values) else np.nan


def half_hour(rows, before):
    """Value and number of samples of each column; `before` is the row right before the half hour, or None."""
    made = {}
    for name in ("AirTC_Avg", "WS_S_WVT", "Uz_Avg", "Psi"):
        made[name] = (rows[name].mean(), rows[name].count())
    pairs = rows[["AirTC_Std", "AirTC_Avg"]].dropna()
    around = pairs["AirTC_Avg"] - mean(pairs["AirTC_Avg"])
    made["AirTC_Std"] = (np.sqrt(mean(pairs["AirTC_Std"] ** 2 + around ** 2)), len(pairs))
    made["AirTC_Max"] = (rows["AirTC_Max"].max(), rows["AirTC_Max"].count())
    made["RH_Min"] = (rows["RH_Min"].min(), rows["RH_Min"].count())
    made["Rain_mm_Tot"] = (rows["Rain_mm_Tot"].sum(), rows["Rain_mm_Tot"].count())
    wind = rows[["WS_S_WVT", "WS_D1_WVT"]].dropna()
    angle = np.radians(wind["WS_D1_WVT"])
    east, north = (wind["WS_S_WVT"] * np.sin(angle)).sum(), (wind["WS_S_WVT"] * np.cos(angle)).sum()
    made["WS_D1_WVT"] = (np.degrees(np.arctan2(east, north)) % 360, len(wind))
    triples = rows[["cov_Uz_AirTC", "Uz_Avg", "AirTC_Avg"]].dropna()
    product = (triples["Uz_Avg"] - mean(triples["Uz_Avg"])) * (triples["AirTC_Avg"] - mean(triples["AirTC_Avg"]))
    made["cov_Uz_AirTC"] = (mean(triples["cov_Uz_AirTC"] + product), len(triples))
    counted = rows["Acc"].dropna()
    readings = counted if before is None or np.isnan(before["Acc"]) else pd.concat([pd.Series([before["Acc"]]), counted])
    step = readings.diff().iloc[1:]
    # A counter that shows less than half of what it showed began anew.
    step = step.where(readings.iloc[1:].to_numpy() >= readings.iloc[:-1].to_numpy() / 2, readings.iloc[1:])
    made["Acc"] = (step.sum() if len(step) else np.nan, len(step))
    words = rows["diag"].dropna().astype("int64")
    made["diag"] = (float(np.bitwise_or.reduce(words.to_numpy())) if len(words) else np.nan, len(words))
    return made


def minutes(folder):
    frame = make(folder)
    frame = frame.mask(frame == SENTINEL)
    for name, (low, high) in FAILS.items():
        frame[name] = frame[name].where((frame[name] >= low) & (frame[name] <= high))
    made = []
    last = None
    for end, rows in frame.resample("30min", closed="right", label="right"):
        if rows.empty:
            continue
        is_next = last is not None and (
            rows.index[0] - last.name <= pd.Timedelta(seconds=90) or last.name == end - pd.Timedelta(minutes=30))
        values = half_hour(rows, last if is_next else None)
        made.append({"end": f"{end:%Y-%m-%d %H:%M:%S}", "values": {
            name: [None if count < 30 * LEAST or np.isnan(value) else float(value), int(count)]
            for name, (value, count) in values.items()}})
        last = rows.iloc[-1]
    (folder / "minutes.json").write_text(json.dumps(made), encoding="utf-8")
    print(f"{len(made)} half hours of {len(frame)} minutes")


def turbulence(scans):
    """Double rotation of each scan, then block averages and population covariances."""
    u, v, w, ts = (scans[name].to_numpy() for name in ("x", "y", "z", "Ts"))
    theta = np.arctan2(v.mean(), u.mean())
    along, across = u * np.cos(theta) + v * np.sin(theta), -u * np.sin(theta) + v * np.cos(theta)
    phi = np.arctan2(w.mean(), along.mean())
    along, up = along * np.cos(phi) + w * np.sin(phi), -along * np.sin(phi) + w * np.cos(phi)

    def covariance(one, other):
        return float(np.mean((one - one.mean()) * (other - other.mean())))

    drag = np.hypot(covariance(along, up), covariance(across, up))
    density = PRESSURE_KPA * 1000 / (287.05 * (ts.mean() + 273.15))
    gas = scans["H2O"].to_numpy()
    return {
        "WS_quick": along.mean(), "WD_quick_sonic": np.degrees(theta) % 360, "USTAR_quick": np.sqrt(drag),
        "W_SIGMA_quick": np.std(up), "w_Ts_quick": covariance(up, ts), "H_quick": density * 1005 * covariance(up, ts),
        "TAU_quick": -density * drag, "w_H2O_quick": covariance(up, gas),
    }


def scans(folder):
    frame = pd.read_csv(folder / "scans.txt")
    frame.index = pd.to_datetime(frame["Date_LGR"], format="%m/%d/%Y %H:%M:%S.%f")
    # Of scans with one stamp, the first is kept.
    frame = frame[~frame.index.duplicated()].sort_index()
    names = ["N2O", "CO", "H2O", "CellP", "CellT", "AmbT", "x", "y", "z", "Ts"]
    made = []
    for end, rows in frame.resample("30min", closed="right", label="right"):
        step = rows.index.to_series().diff().median()
        expected = max(1, round(pd.Timedelta(minutes=30) / step))
        is_enough = len(rows) / expected >= LEAST
        values = {**{name: rows[name].mean() for name in names}, **turbulence(rows)}
        made.append({"end": f"{end:%Y-%m-%d %H:%M:%S}", "samples": len(rows), "expected": expected,
                      "values": {name: float(value) if is_enough else None for name, value in values.items()}})
    (folder / "scans.json").write_text(json.dumps(made), encoding="utf-8")
    print(f"{len(frame)} scans: " + ", ".join(f"{one['samples']} of {one['expected']} until {one['end']}" for one in made))


folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
{"minutes": minutes, "scans": scans}[sys.argv[2]](folder)
