#!/usr/bin/env python3
"""Random series with the flags of ioos_qc, for tests/real_files/qc_vectors.rs.

    tests/qc/reference.py SERIES > cases.json

Needs the Python package ioos_qc. Of each test it makes so many series, the same in each run. A flag is null where docs/qc.md
says that fluxtower differs on purpose (section "Where this differs from ioos_qc"): the rule for that is here, beside the
series, and everything else must be equal.
"""
import json
import random
import sys

import numpy as np
from ioos_qc import qartod

START = np.datetime64("2026-01-01T00:00:00", "s")


def series(dice, steps=(60,)):
    """Values in tenths that wander, jump, stand still and miss; times that have gaps."""
    count = dice.randint(3, 40)
    at, time, values, times = dice.uniform(-20, 20), 0, [], []
    step, stays = dice.choice(steps), 0
    for _ in range(count):
        stays = dice.randint(2, 9) if dice.random() < 0.1 else stays - 1
        if stays < 0:
            at += dice.gauss(0, 15) if dice.random() < 0.1 else dice.gauss(0, 1)
        values.append(None if dice.random() < 0.08 else round(at, 1))
        times.append(time)
        time += step * (dice.randint(2, 30) if dice.random() < 0.05 else 1)
    return values, times


def regular(dice):
    """The same without a gap in time."""
    values, _ = series(dice)
    return values, [60 * row for row in range(len(values))]


def array(values):
    return np.array([np.nan if value is None else value for value in values])


def stamps(times):
    return START + np.array(times, dtype="timedelta64[s]")


def levels(dice, least, most):
    """Thresholds in odd hundredths, so that no value in tenths lies on one by the rounding of binary numbers."""
    low = round(dice.uniform(least, most), 1) + 0.037
    return low, low + round(dice.uniform(0.1, most), 1)


def gross_range(dice):
    values, times = series(dice)
    low, high = sorted(round(dice.uniform(-30, 30), 1) for _ in range(2))
    config = {"suspect_span": [low, high], "fail_span": [low - round(dice.uniform(0, 9), 1), high + round(dice.uniform(0, 9), 1)]}
    return values, times, config, qartod.gross_range_test(array(values), **config)


def spike(dice):
    values, times = series(dice)
    suspect, fail = levels(dice, 0.2, 6)
    config = {"suspect_threshold": suspect, "fail_threshold": fail, "method": dice.choice(["average", "differential"])}
    return values, times, config, qartod.spike_test(array(values), **config)


def rate_of_change(dice):
    values, times = series(dice, (1, 2, 60))
    suspect, fail = levels(dice, 0.01, 0.2)
    config = {"threshold": suspect, "fail_threshold": fail}
    flags = list(qartod.rate_of_change_test(array(values), stamps(times), **config))
    for row in range(1, len(values)):
        if values[row - 1] is None and values[row] is not None:
            flags[row] = None
    return values, times, config, flags


def flat_line(dice):
    values, times = regular(dice)
    suspect = 60 * dice.randint(2, 5)
    config = {"suspect_threshold": suspect, "fail_threshold": suspect + 60 * dice.randint(1, 4), "tolerance": levels(dice, 0.2, 2)[0]}
    flags = list(qartod.flat_line_test(array(values), stamps(times), **config))
    for row in range(len(values)):
        for window in (config["suspect_threshold"] // 60, config["fail_threshold"] // 60):
            inside = [value for value in values[max(0, row - window):row + 1] if value is not None]
            # Until the window is full, and of one value alone, fluxtower does not judge what stands still.
            if row < window or len(inside) < 2:
                flags[row] = None
    return values, times, config, flags


def attenuated_signal(dice):
    values, times = regular(dice)
    fail, suspect = levels(dice, 0.05, 2)
    window = dice.randint(3, 9)
    config = {"suspect_threshold": suspect, "fail_threshold": fail, "test_period": 60 * window, "min_obs": window,
              "check_type": dice.choice(["std", "range"])}
    flags = list(qartod.attenuated_signal_test(array(values), stamps(times), **config))
    for row in range(len(values)):
        inside = [value for value in values[max(0, row - window + 1):row + 1]]
        # min_obs counts rows in one and values in the other, so only full windows are compared.
        if len(inside) < window or None in inside:
            flags[row] = None if values[row] is not None else flags[row]
    return values, times, config, flags


def climatology(dice):
    values, times = series(dice, (3_600, 86_400))
    members = []
    for _ in range(dice.randint(1, 3)):
        low, high = sorted(round(dice.uniform(-30, 30), 1) for _ in range(2))
        first = dice.randint(0, 300)
        last = first + dice.randint(0, 400)
        dates = [str(START + np.timedelta64(24 * day, "h") + np.timedelta64(1, "s")) for day in (first, last)]
        members.append({"tspan": dates, "vspan": [low, high], "fspan": [low - 5, high + 5]})
    config = qartod.ClimatologyConfig()
    for member in members:
        config.add(tspan=[np.datetime64(date) for date in member["tspan"]], vspan=member["vspan"], fspan=member["fspan"])
    flags = qartod.climatology_test(config, array(values), stamps(times), np.zeros(len(values)))
    shown = [dict(member, tspan=[date.replace("T", " ") for date in member["tspan"]]) for member in members]
    return values, times, {"config": shown}, flags


def time_gap(dice):
    values, times = series(dice, (600, 1_800))
    hours = dice.choice([0.25, 0.5, 1, 2])
    flags = list(qartod.time_gap_test(stamps(times), fail_span=hours))
    # The first copies the second there. What fails is suspect here: the gap is wrong, and not the value behind it.
    flags = [None] + [{4: 3}.get(int(flag), int(flag)) for flag in flags[1:]]
    return [1.0] * len(times), times, {"fail_span": hours}, flags


TESTS = [gross_range, spike, rate_of_change, flat_line, attenuated_signal, climatology, time_gap]


def main():
    count = int(sys.argv[1])
    unit = []
    for test in TESTS:
        dice = random.Random(test.__name__)
        for number in range(count):
            values, times, config, flags = test(dice)
            flags = [None if flag is None else int(flag) for flag in flags]
            unit.append({"id": f"{test.__name__} {number}", "test": f"{test.__name__}_test", "config": config, "values": values,
                         "times": [str(time) + "Z" for time in stamps(times)], "flags": flags})
    json.dump({"unit": unit, "series": []}, sys.stdout)


main()
