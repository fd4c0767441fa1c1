#!/usr/bin/env python3
"""Writes tests/sun/reference.csv: random instants at random places, with what an independent program gives for them.

    python3 -m venv venv && venv/bin/pip install pvlib && venv/bin/python tests/sun/reference.py [ROWS] > tests/sun/reference.csv

`elevation` is pvlib's (NREL SPA, without refraction), for the instant `end_s`. `potential` is the mean of the minutes of
[end_s - span_s, end_s) as ONEFlux's `common.c` computes them, written down here from that source, loop by loop, and moved over
the ends of the day as it has to be.
"""
import datetime
import math
import random
import sys

import pandas
import pvlib

PI = 3.141592654  # as that program has it
OFFSETS = [-10 * 60, -5 * 60, -3 * 60 - 30, 0, 60, 5 * 60 + 30, 5 * 60 + 45, 9 * 60 + 30, 12 * 60, 13 * 60]


def equation_of_time(t):
    l0 = math.radians((280.46646 + t * (36000.76983 + 0.0003032 * t)) % 360)
    m = math.radians(357.52911 + t * (35999.05029 - 0.0001537 * t))
    e = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    seconds = 21.448 - t * (46.8150 + t * (0.00059 - t * 0.001813))
    epsilon = 23.0 + (26.0 + seconds / 60.0) / 60.0 + 0.00256 * math.cos(math.radians(125.04 - 1934.136 * t))
    y = math.tan(math.radians(epsilon) / 2.0) ** 2
    angle = (y * math.sin(2 * l0) - 2 * e * math.sin(m) + 4 * e * y * math.sin(m) * math.cos(2 * l0)
             - 0.5 * y * y * math.sin(4 * l0) - 1.25 * e * e * math.sin(2 * m))
    return math.degrees(angle) * 4


def noon(date, longitude, offset):
    """Whole minutes of the day, by hours, minutes and rounded seconds."""
    west = -longitude
    jd = (date - datetime.date(2000, 1, 1)).days + 2451544.5
    minutes = 720 + west * 4 - equation_of_time((jd + west / 360 - 2451545) / 36525)
    minutes = 720 + west * 4 - equation_of_time((jd - 0.5 + minutes / 1440 - 2451545) / 36525) + offset
    hour = math.floor(minutes / 60)
    rest = 60 * (minutes / 60 - hour)
    minute = math.floor(rest)
    if math.floor(60 * (rest - minute) + 0.5) > 59:
        minute += 1
    return 60 * hour + minute


def day(date, latitude, longitude, offset):
    angle = 2 * PI * (date.timetuple().tm_yday - 1) / 365
    declination = (0.006918 - 0.399912 * math.cos(angle) + 0.070257 * math.sin(angle) - 0.006758 * math.cos(2 * angle)
                   + 0.000907 * math.sin(2 * angle) - 0.002697 * math.cos(3 * angle) + 0.00148 * math.sin(3 * angle))
    strength = 1376 * (1.00011 + 0.034221 * math.cos(angle) + 0.00128 * math.sin(angle) + 0.000719 * math.cos(2 * angle)
                       + 0.000077 * math.sin(2 * angle))
    phi = latitude * PI / 180
    minutes = []
    for minute in range(1440):
        omega = -15 * abs(12 - minute / 60)
        cosine = math.sin(declination) * math.sin(phi) + math.cos(declination) * math.cos(phi) * math.cos(omega * PI / 180)
        minutes.append(max(0, strength * cosine))
    shift = noon(date, longitude, offset) - 720
    return [minutes[(minute - shift) % 1440] for minute in range(1440)]


def main():
    dice = random.Random(20261129)
    print("end_s,span_s,offset_min,latitude,longitude,potential,elevation")
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 200):
        latitude = round(dice.choice([dice.uniform(-90, 90), dice.uniform(-23.4, 23.4), 23.4364, -23.4364, 66.6, -66.6, 0]), 4)
        longitude = round(dice.choice([dice.uniform(-180, 180), 180, -180, 179.9, -179.9, 0]), 4)
        offset = dice.choice([round(longitude / 15) * 60, dice.choice(OFFSETS)])
        span = dice.choice([1, 5, 15, 30, 30, 30, 60]) * 60
        end = dice.randrange(1704067200, 2051222400) // 60 * 60
        local = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=end + 60 * offset)
        values, at = [], local
        for _ in range(span // 60):
            at -= datetime.timedelta(minutes=1)
            values.append(day(at.date(), latitude, longitude, offset)[60 * at.hour + at.minute])
        when = pandas.DatetimeIndex([pandas.Timestamp(end, unit="s", tz="UTC")])
        elevation = pvlib.solarposition.get_solarposition(when, latitude, longitude)["elevation"].iloc[0]
        print(f"{end},{span},{offset},{latitude},{longitude},{sum(values) / len(values):.6g},{elevation:.4f}")


main()
