"""The same day of 10 Hz in four formats: TOA5, TOB1, and two dialects of CSV."""
import itertools
import struct
import sys
from datetime import datetime

import make_toa5
from measure import Station, note, table

EPOCH = datetime(1990, 1, 1)


def rows_of(toa5):
    """Time, record number and texts of the values of each row."""
    with open(toa5, encoding="ascii") as lines:
        for line in itertools.islice(lines, 4, None):
            stamp, record, *values = line.rstrip("\r\n").replace('"', "").split(",")
            yield stamp, int(record), values


def write_tob1(path, toa5):
    names = ["SECONDS", "NANOSECONDS", "RECORD", *make_toa5.names(16)]
    header = [["TOB1", "tower", "CR5000", "1041", "CR5000.Std.07", "CPU:tower.CR5", "6827", "EC_fast"], names,
              ["SECONDS", "NANOSECONDS", "RN", *["m/s"] * 16], ["", "", "", *["Smp"] * 16], [*["ULONG"] * 3, *["IEEE4"] * 16]]
    record = struct.Struct("<3I16f")
    with open(path, "wb") as file:
        for line in header:
            file.write((",".join(f'"{text}"' for text in line) + "\r\n").encode())
        for stamp, number, values in rows_of(toa5):
            whole, _, fraction = stamp.partition(".")
            seconds = int((datetime.fromisoformat(whole) - EPOCH).total_seconds())
            nanos = int(fraction.ljust(9, "0")) if fraction else 0
            file.write(record.pack(seconds, nanos, number, *map(float, values)))


def write_csv(path, toa5):
    """Commas and ISO times."""
    with open(path, "w", encoding="ascii", newline="") as file:
        file.write(",".join(["TIMESTAMP", "RECORD", *make_toa5.names(16)]) + "\r\n")
        for stamp, number, values in rows_of(toa5):
            file.write(f"{stamp},{number},{','.join(values)}\r\n")


def write_german(path, toa5):
    """Semicolons, decimal commas, and the day first."""
    with open(path, "w", encoding="ascii", newline="") as file:
        file.write(";".join(["Zeit", "Nr", *make_toa5.names(16)]) + "\r\n")
        for stamp, number, values in rows_of(toa5):
            day, time = stamp.split(" ")
            year, month, day = day.split("-")
            file.write(f"{day}.{month}.{year} {time.replace('.', ',')};{number};{';'.join(values).replace('.', ',')}\r\n")


CSV = 'format = "csv"\ntime_column = "TIMESTAMP"\nrecord_column = "RECORD"\n[table.csv]\nnames_line = 1\n'
GERMAN = ('format = "csv"\ntime_column = "Zeit"\ntime_format = "%d.%m.%Y %H:%M:%S"\nrecord_column = "Nr"\n'
          '[table.csv]\nseparator = ";"\ndecimal = ","\nnames_line = 1\n')


def formats(work, judge, quick, _rows):
    """Ingest of each format against that of TOA5."""
    rows = 200_000 if quick else 864_000
    toa5 = work / "toa5.dat"
    make_toa5.write(toa5, rows)
    stations = {"TOA5": ("toa5.dat", "")}
    for name, file, keys, write in (("TOB1", "tob1.dat", "", write_tob1), ("CSV", "csv.csv", CSV, write_csv),
                                    ("CSV with decimal commas", "german.csv", GERMAN, write_german)):
        write(work / file, toa5)
        stations[name] = (file, keys)
    taken = {name: [] for name in stations}
    # They alternate, so that a machine that becomes slower affects all.
    for _ in range(3):
        for name, (file, keys) in stations.items():
            station = Station(work / "station", table("EC_fast", work / file) + keys)
            usage = station("ingest")
            staged = usage.json()["tables"][0]["staged"]
            if staged != rows:
                sys.exit(f"bench: {staged} of {rows} rows of {name} staged")
            taken[name].append(usage)
    cpu = {name: min(one.cpu for one in usages) for name, usages in taken.items()}
    for name, limit in (("TOB1", 0.7), ("CSV", 1.3), ("CSV with decimal commas", 1.3)):
        judge.most(f"formats: CPU of {name} / TOA5", cpu[name] / cpu["TOA5"], limit, f"{cpu[name]:.2f} s / {cpu['TOA5']:.2f} s, {rows:,} rows")
    judge.most("formats: peak memory, MB", max(one.memory for usages in taken.values() for one in usages), 64)
    note(f"files: {', '.join(f'{name} {(work / file).stat().st_size / 1e6:.0f} MB' for name, (file, _) in stations.items())}")
