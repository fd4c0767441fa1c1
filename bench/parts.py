"""The parts of the benchmark. bench/run starts it."""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import drain
import formats
import make_toa5
import servers
import shapes
import watch
from measure import FAILED, NOT_RUN, PROGRAM, Judge, Station, median, not_run, note, run, table

START = datetime(2026, 6, 1)


def ingest(work, judge, quick, _rows):
    """A day of 10 Hz, 16 values with a range test on each."""
    rows = 200_000 if quick else 864_000
    data = work / "fast.dat"
    make_toa5.write(data, rows)
    tables = table("EC_fast", data, make_toa5.names(16))
    ours, theirs, memory = [], [], []
    for _ in range(3):
        station = Station(work / "ingest", tables)
        first = station("ingest")
        staged = first.json()["tables"][0]["staged"]
        if staged != rows:
            sys.exit(f"bench: {staged} of {rows} rows staged")
        ours.append(first)
        memory.append(first.memory)
        # Into a table with names from the file and text columns: the minimum work of .import.
        database = work / "import.db"
        database.unlink(missing_ok=True)
        theirs.append(run(["sqlite3", database, f".import --csv --skip 1 {data} t"]))
    again = [station("ingest") for _ in range(3)]
    if any(one.json()["tables"][0]["staged"] for one in again):
        sys.exit("bench: an unchanged file was staged again")
    cpu = min(one.cpu for one in ours)
    import_cpu = min(one.cpu for one in theirs)
    judge.most("ingest: CPU / CPU of sqlite3 .import", cpu / import_cpu, 0.5, f"{cpu:.2f} s / {import_cpu:.2f} s, {rows:,} rows")
    unchanged = min(one.cpu for one in again)
    # In a quick run most of the cost is the start of the program.
    judge.most("ingest: CPU of the unchanged file / first", unchanged / cpu, 0.04 if quick else 0.01, f"{unchanged * 1000:.1f} ms")
    judge.most("ingest: peak memory, MB", max(memory), 64)
    note(f"clock: {min(one.wall for one in ours):.2f} s, .import {min(one.wall for one in theirs):.2f} s; "
         f"{data.stat().st_size / 1e6:.0f} MB of file, {(work / 'ingest/s.db').stat().st_size / 1e6:.0f} MB of store")


EVERY_TEST = """suspect = [-500, 1500]
fail = [-1000, 2000]
spike = { suspect = 3, fail = 10 }
rate_of_change = { suspect = 20, fail = 60 }
flat_line = { suspect = "10s", fail = "30s", tolerance = 0.001 }
attenuated_signal = { suspect = 0.001, fail = 0.0001, window = "30s" }
climatology = { bands = [{ months = [1, 12], suspect = [-600, 1600] }] }
"""


def quality(work, judge, quick, _rows):
    """Every test on each of 16 values of a day of 10 Hz, against an ingest without any."""
    rows = 200_000 if quick else 864_000
    data = work / "fast.dat"
    make_toa5.write(data, rows)
    names = make_toa5.names(16)
    plain = table("EC_fast", data)
    columns = "".join(f"[table.columns.{name}]\n{EVERY_TEST}" for name in names)
    pairs = "".join(
        f'[[pair]]\nname = "{one} {other}"\ntable = "EC_fast"\ncolumn = "{one}"\nagainst = "{other}"\n'
        "difference = { suspect = 5000 }\n"
        for one, other in zip(names[::2], names[1::2]))
    tested = f'{plain}missing = [7999]\ntime_gap = {{ suspect = "1s" }}\n{columns}{pairs}'
    # They alternate, so that a machine that becomes slower affects both.
    without, with_all, memory = [], [], []
    for _ in range(3):
        for keys, taken in ((plain, without), (tested, with_all)):
            station = Station(work / "quality", keys)
            usage = station("ingest")
            if usage.json()["tables"][0]["staged"] != rows:
                sys.exit("bench: not every row was staged")
            taken.append(usage.cpu)
        memory.append(usage.memory)
    counts = station("flags", "--summary", "--since", "2026-01-01").json()["columns"][0]
    cost = min(with_all) - min(without)
    judge.most("quality: CPU of all tests / CPU of ingest without", cost / min(without), 1.0,
               f"{cost:.2f} s / {min(without):.2f} s, {rows:,} rows of 16 values; {counts['fail']} failed and {counts['missing']} missing in the first column")
    judge.most("quality: peak memory, MB", max(memory), 64)


def aggregate(work, judge, quick, _rows):
    """Half hours of a day of 10 Hz, against the ingest of its rows; and of one late row."""
    rows = 200_000 if quick else 864_000
    data, most = work / "fast.dat", work / "most.dat"
    make_toa5.write(data, rows)
    # Line by line: what this process holds would be counted as memory of the program (see `Usage`).
    header, late = [], b""
    with open(data, "rb") as lines, open(most, "wb") as kept:
        for number, line in enumerate(lines):
            if number < 4:
                header.append(line)
            if number == 4 + rows // 2:
                late = line
            else:
                kept.write(line)
    tables = table("EC_fast", data, make_toa5.names(16))
    with_half_hours = tables.replace('name = "EC_fast"\n', 'name = "EC_fast"\naggregate = "30m"\n')
    first, made, memory = [], [], []
    for _ in range(3):
        shutil.copyfile(most, data)
        station = Station(work / "aggregate", tables)
        first.append(station("ingest").cpu)
        station.configure(with_half_hours)
        usage = station("ingest")
        wanted = -(-rows // 18_000) + (rows % 18_000 == 0)
        half_hours = usage.json()["tables"][1]["made"]
        if abs(half_hours - wanted) > 1:
            sys.exit(f"bench: {half_hours} half hours of {rows:,} rows")
        made.append(usage.cpu)
        memory.append(usage.memory)
        # One row that was not there, in a file of its own.
        data.write_bytes(b"".join(header) + late)
        after = station("ingest").json()
        if after["tables"][1]["made"] != 1:
            sys.exit(f"bench: a late row made {after}")
    cost, whole_cost = min(made), min(first)
    judge.most("aggregate: CPU of half hours / CPU of ingest", cost / whole_cost, 0.3,
               f"{cost:.2f} s / {whole_cost:.2f} s, {rows:,} rows of 16 values, {half_hours} half hours; a late row made one again")
    judge.most("aggregate: peak memory, MB", max(memory), 64)


def append(work, judge, quick, _rows):
    """Sixty rows at the end of a long and of a short file."""
    stations = {}
    for size, label in ((50_000_000 if quick else 1_000_000_000, "long"), (1_000_000, "short")):
        data = work / f"{label}.dat"
        # Whole seconds, so that appended rows continue without a repetition.
        rows = size // 1760 * 10
        end = make_toa5.write(data, rows)
        station = Station(work / label, table("EC_fast", data))
        station("ingest")
        stations[label] = [station, data, rows, end]
        note(f"{label}: {data.stat().st_size / 1e6:.0f} MB, {rows:,} rows")
    taken = {"long": [], "short": []}
    for _ in range(5 if quick else 9):
        for label, state in stations.items():
            station, data, rows, end = state
            state[3] = make_toa5.write(data, 60, start=end, record=rows, append=True)
            state[2] += 60
            usage = station("ingest")
            if usage.json()["tables"][0]["staged"] != 60:
                sys.exit("bench: the 60 appended rows were not staged")
            taken[label].append(usage)
    for what in ("cpu", "wall"):
        long, short = (min(getattr(one, what) for one in taken[label]) for label in ("long", "short"))
        name = "CPU" if what == "cpu" else "clock"
        judge.most(f"append: {name}, 60 rows to a long file / to 1 MB", long / short, 3, f"{long * 1e3:.1f} ms / {short * 1e3:.1f} ms")
    judge.most("append: peak memory, MB", max(one.memory for one in taken["long"]), 64)


def small(work, judge, quick, _rows):
    """A collection of five minutes: ten small files with sixty new rows each."""
    files = [work / f"table{number}.dat" for number in range(10)]
    ends = [make_toa5.write(file, 60, hz=1, seed=number) for number, file in enumerate(files)]
    station = Station(work / "small", "".join(table(f"t{number}", file) for number, file in enumerate(files)))
    station("ingest")
    database, script = work / "small.db", work / "insert.sql"
    columns = ", ".join(["time TEXT", "record INTEGER"] + [f"v{number} REAL" for number in range(16)])
    run(["sqlite3", database, "PRAGMA journal_mode = WAL", f"CREATE TABLE t ({columns})"])
    ours, theirs = [], []
    for turn in range(1, 6 if quick else 16):
        lines = []
        for number, file in enumerate(files):
            before = file.stat().st_size
            ends[number] = make_toa5.write(file, 60, hz=1, start=ends[number], record=60 * turn, append=True, seed=number + turn)
            with open(file, encoding="ascii") as text:
                text.seek(before)
                lines += text.read().splitlines()
        inserts = "".join(f"INSERT INTO t VALUES ({line.replace(chr(34), chr(39))});\n" for line in lines)
        script.write_text(f"PRAGMA synchronous = FULL;\nBEGIN;\n{inserts}COMMIT;\n")
        usage = station("ingest")
        if sum(one["staged"] for one in usage.json()["tables"]) != 600:
            sys.exit("bench: the 600 rows were not staged")
        ours.append(usage.wall)
        theirs.append(run(["sqlite3", database], stdin=script).wall)
    judge.most("small: ten files of 60 rows / one sqlite3 transaction", median(ours) / median(theirs), 3,
               f"{median(ours) * 1e3:.1f} ms / {median(theirs) * 1e3:.1f} ms, clock, WAL, synchronous FULL")


def idle(work, judge, quick, rows):
    """`status` and `sync` with nothing to do: their cost must not grow with the archive."""
    rows = rows or (2_000_000 if quick else 20_000_000)
    stations = {}
    with servers.sink(work) as url:
        for count in (rows, 20_000):
            station = Station(work / f"idle{count}", table("EC_fast", "part*.dat"), servers.destination(url))
            began, done, end = time.monotonic(), 0, START
            while done < count:
                part = min(count - done, 2_000_000)
                data = station.folder / f"part{done}.dat"
                end = make_toa5.write(data, part, values=1, start=end, record=done)
                station("ingest")
                data.unlink()
                # The file is gone, which is a finding.
                station("sync", exits=(0, 1))
                done += part
            counts = station("status", exits=(0, 1)).json()["tables"][0]
            if (counts["sent"], counts["pending"]) != (count, 0):
                sys.exit(f"bench: {counts}")
            stations[count] = station
            note(f"{count:,} rows of one value staged and sent in {time.monotonic() - began:.0f} s")
        # Written data must not go to disk while commands of a few milliseconds are timed.
        os.sync()
        for command in ("status", "sync"):
            for series in (1, 2, 3):
                taken = {count: [] for count in stations}
                for _ in range(15):
                    for count, station in stations.items():
                        taken[count].append(station(command, exits=(0, 1)).wall)
                many, few = median(taken[rows]), median(taken[20_000])
                # Other programs affect either side by chance; a cost that grows shows in each series.
                if many / few <= 1.5:
                    break
            judge.most(f"idle: {command}, {rows:,} sent rows / 20,000", many / few, 1.5,
                       f"{many * 1e3:.1f} ms / {few * 1e3:.1f} ms" + (f", series {series}" if series > 1 else ""))


RESAMPLE = """
import json, sqlite3, sys, time
import pandas
rows = sqlite3.connect(sys.argv[1]).execute("SELECT (id & 4503599627370495) * 1000, vals FROM reading ORDER BY id")
times, values = [], []
for ts, text in rows:
    times.append(ts)
    values.append(json.loads(text)[:5])
frame = pandas.DataFrame(values, index=pandas.to_datetime(times)).apply(pandas.to_numeric, errors="coerce")
best = 9e9
for _ in range(5):
    began = time.perf_counter()
    frame.resample("1h").agg(["min", "max", "mean"])
    best = min(best, time.perf_counter() - began)
print(best)
"""


def view(work, judge, quick, _rows):
    """Views of 30 days of 5-second rows of 20 columns, with nothing kept and with everything kept."""
    program = PROGRAM.parent / "examples" / "view"
    if not program.exists():
        not_run("view", f"{program} is missing: cargo build --profile dist --examples")
        return
    days = 3 if quick else 30
    data, names = work / "slow.dat", make_toa5.names(20)
    make_toa5.write(data, days * 17_280, values=20, hz=0.2)
    station = Station(work / "view", table("slow", data, names))
    station("ingest")
    data.unlink()
    store, beside = station.folder / "s.db", station.folder / "s.db.summary"
    # A page without summaries needs at least this; minimum, maximum and mean without failed values need more.
    columns = ", ".join(f"{what}(json_extract(vals, '$[{place}]'))" for place in range(5) for what in ("min", "max", "avg"))
    query = f"SELECT (id & 4503599627370495) / 3600000000, count(*), {columns} FROM reading GROUP BY 1"
    group = min(run(["sqlite3", "-readonly", store, query]).wall for _ in range(3))
    views = []
    for _ in range(3):
        for file in station.folder.glob("s.db.summary*"):
            file.unlink()
        views.append(run([program, station.folder / "config.toml", "slow", days]))
    first = min(one.json()["cold"] for one in views)
    judge.most("view: first of all rows, 20 columns / sqlite3, 5 columns", first / 1e3 / group, 0.5,
               f"{first:.0f} ms / {group * 1e3:.0f} ms, {days} days, {days * 17_280 * 20:,} values")
    judge.most("view: kept bytes / bytes of the store", beside.stat().st_size / store.stat().st_size, 0.1,
               f"{beside.stat().st_size / 1e6:.1f} MB / {store.stat().st_size / 1e6:.1f} MB")
    judge.most("view: peak memory, MB", max(one.memory for one in views), 96)
    warm = run([program, station.folder / "config.toml", "slow", days]).json()
    slowest = max(value for key, value in warm.items() if key[-1].isdigit())
    judge.most("view: slowest of 18 warm views / first", slowest / first, 0.2, f"{slowest:.1f} ms / {first:.0f} ms")
    for span in ("all", "7d", "1d", "1h"):
        note(f"{span}: " + ", ".join(f"{count} columns {warm[f'{span} {count}']:.1f} ms" for count in (1, 5, 20)))
    note(f"ribbon of 20 columns {warm['ribbon']:.1f} ms, flags of the last day {warm['last_day']:.2f} ms")
    if subprocess.run([sys.executable, "-c", "import pandas"], capture_output=True, check=False).returncode:
        not_run("view against pandas", "python3 -m pip install pandas")
        return
    resample = float(run([sys.executable, "-c", RESAMPLE, store]).out)
    judge.most("view: all, 5 columns, with JSON / pandas resample in memory", warm["all 5"] / 1e3 / resample, 0.5,
               f"{warm['all 5']:.1f} ms / {resample * 1e3:.0f} ms")


PARTS = {"ingest": ingest, "quality": quality, "aggregate": aggregate, "append": append, "small": small, "idle": idle, "view": view, "shapes": shapes.shapes,
         "drain": drain.drain, "formats": formats.formats, "delay": watch.delay, "watch": watch.watch, "daily": watch.daily}


def main():
    parser = argparse.ArgumentParser(prog="bench/run")
    parser.add_argument("parts", nargs="*", default=["all"], choices=[*PARTS, "all"], metavar="part", help=", ".join([*PARTS, "all"]))
    parser.add_argument("--quick", action="store_true", help="smaller files; fails at twice the limit only")
    parser.add_argument("--rows", type=int, help="rows of the large store of `idle` (20 million, quick: 2 million)")
    arguments = parser.parse_args()
    # Servers and folders are removed even if a user or a machine ends this early.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = list(PARTS) if "all" in arguments.parts else arguments.parts
    judge = Judge(arguments.quick)
    print(f"{run([PROGRAM, '--version']).out.decode().strip()}{', quick' if arguments.quick else ''}; "
          f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
    work = Path(tempfile.mkdtemp(prefix="fluxtower-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        for name in chosen:
            began = time.monotonic()
            folder = work / name
            folder.mkdir()
            PARTS[name](folder, judge, arguments.quick, arguments.rows)
            shutil.rmtree(folder)
            note(f"{name} took {timedelta(seconds=round(time.monotonic() - began))}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    unfinished = f"; NOT RUN: {', '.join(NOT_RUN)}" if NOT_RUN else ""
    if FAILED:
        print(f"bench: over the limit: {', '.join(FAILED)}{unfinished}")
        return 1
    print(f"bench: every ratio that was measured is within its limit{unfinished}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
