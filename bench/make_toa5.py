#!/usr/bin/env python3
"""Writes TOA5 files for the benchmark.

    make_toa5.py FILE ROWS [--values 16] [--hz 10] [--start 2026-06-01T00:00:00] [--record 0] [--append] [--name EC_fast]

Values change as a sensor's do and are written as a Campbell logger writes them: seven digits, one in a thousand "NAN", one in
a thousand 7999. A few ten thousand different lines of values are used in turn: time and record differ in every row, and a
repetition is far outside the 32 kB window of gzip.
"""
import argparse
import random
from datetime import datetime, timedelta

NAMES = ["Ux", "Uy", "Uz", "Ts", "CO2", "H2O", "Press", "Diag", "PPFD", "RH", "TA", "SW_IN", "SW_OUT", "LW_IN", "LW_OUT", "Batt"]
LOOP = 40_009


def names(values):
    return [NAMES[i % 16] + (f"_{i // 16 + 1}" if i >= 16 else "") for i in range(values)]


def header(values, name):
    def quoted(texts):
        return ",".join(f'"{text}"' for text in texts)
    return "".join(line + "\r\n" for line in (
        f'"TOA5","tower","CR5000","1041","CR5000.Std.07","CPU:tower.CR5","6827","{name}"',
        quoted(["TIMESTAMP", "RECORD", *names(values)]),
        quoted(["TS", "RN", *["m/s"] * values]),
        quoted(["", "", *["Smp"] * values])))


def tails(values, count, seed):
    """Lines from the first value on, with the comma before it."""
    rnd = random.Random(seed)
    level = [rnd.uniform(-5, 900) for _ in range(values)]
    lines = []
    for _ in range(count):
        line = ""
        for column in range(values):
            level[column] += rnd.random() - 0.5
            chance = rnd.random()
            line += "," + ('"NAN"' if chance < 0.001 else "7999" if chance < 0.002 else f"{level[column]:.7g}")
        lines.append(line + "\r\n")
    return lines


def stamps(start, hz, count):
    """Times in a logger's form: no fraction on whole seconds."""
    if hz <= 1:
        step = timedelta(seconds=1 / hz)
        for i in range(count):
            yield (start + step * i).strftime("%Y-%m-%d %H:%M:%S")
        return
    fractions = [""] + [f"{i / hz:.6f}"[1:].rstrip("0") for i in range(1, int(hz))]
    second = start
    while count > 0:
        text = second.strftime("%Y-%m-%d %H:%M:%S")
        for fraction in fractions[:count]:
            yield text + fraction
        count -= len(fractions)
        second += timedelta(seconds=1)


def write(path, rows, values=16, hz=10, start=datetime(2026, 6, 1), record=0, append=False, name="EC_fast", seed=1):
    """Returns the time after the last row."""
    pool = tails(values, min(rows, LOOP), seed)
    with open(path, "a" if append else "w", newline="", encoding="ascii", buffering=1 << 20) as file:
        if not append:
            file.write(header(values, name))
        put, size = file.write, len(pool)
        for i, stamp in enumerate(stamps(start, hz, rows)):
            put(f'"{stamp}",{record + i}{pool[i % size]}')
    return start + timedelta(seconds=rows / hz)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("rows", type=int)
    parser.add_argument("--values", type=int, default=16)
    parser.add_argument("--hz", type=float, default=10, help="whole, or below 1")
    parser.add_argument("--start", type=datetime.fromisoformat, default=datetime(2026, 6, 1))
    parser.add_argument("--record", type=int, default=0)
    parser.add_argument("--append", action="store_true")
    parser.add_argument("--name", default="EC_fast")
    a = parser.parse_args()
    write(a.file, a.rows, a.values, a.hz, a.start, a.record, a.append, a.name)


if __name__ == "__main__":
    main()
