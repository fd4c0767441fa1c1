"""Doubles each dimension of the input twice and compares the cost per doubling: linear is 2, quadratic is 4.

For each shape, a station of n and one of 4n are made. Measured is the CPU time of `ingest`, `ingest` of the unchanged files,
`status`, `gaps`, `rejected` and `conflicts`, without that of a station of one row, which is the cost of six starts. The figure
is the square root of the ratio: two doublings halve what chance does to one of them. Both sizes alternate, and the least of the
repetitions counts. Where n takes less than LEAST seconds, n is doubled first.
"""
import math
import shutil
from datetime import datetime, timedelta

from measure import Station, note

LIMIT = 2.3
LEAST = 0.1
REPETITIONS = 3
# A small quadratic part shows at larger sizes only.
LARGER = 4
# No row of the longest file may be from the future.
START = datetime(2010, 3, 1)
COMMANDS = (("ingest", (0, 1)), ("ingest", (0, 1)), ("status", (0, 1)), ("gaps", (0, 1)), ("rejected", (0, 1)), ("conflicts", (0, 1)))


def header(program=1, table="M"):
    return (f'"TOA5","X","CR1000X","1","OS","CPU:p.CR1X","{program}","{table}"\r\n'
            '"TIMESTAMP","RECORD","A","B"\r\n"TS","RN","C","C"\r\n"","","Smp","Smp"\r\n')


def stamp(at):
    return (START + timedelta(seconds=60 * at)).strftime("%Y-%m-%d %H:%M:%S")


def row(at, record, value="1.5"):
    return f'"{stamp(at)}",{record},{value},2.5\r\n'


def one_file(lines):
    """Files and tables of a station with one file."""
    return {"m.dat": header() + "".join(lines)}, ["m.dat"]


def by_record(record):
    return lambda n: one_file(row(at, record(at, n)) for at in range(n))


def files(n):
    return {f"m_{at:06}.dat": header() + row(at, at) for at in range(n)}, ["m_*.dat"]


def tables(n):
    return {f"m_{at:06}.dat": header(table=f"M{at}") + row(at, at) for at in range(n)}, [f"m_{at:06}.dat" for at in range(n)]


def headers(n):
    return {"m.dat": "".join(header(at) + row(at, at) for at in range(n))}, ["m.dat"]


def conflicts(n):
    return one_file([row(at, at) for at in range(n)] + [row(at, at, "7.5") for at in range(n)])


def files_set_aside(n):
    found = {"m.dat": header() + row(0, 0)}
    found |= {f"m.dat.backup{at}": header() + row(at + 1, at + 1) for at in range(n)}
    return found, ["m.dat"]


# Name, the first n, and what a station of n holds.
SHAPES = [
    ("rows", 20_000, by_record(lambda at, n: at)),
    ("files", 1_000, files),
    ("files set aside", 1_000, files_set_aside),
    ("tables", 100, tables),
    ("headers in a file", 1_000, headers),
    ("record runs: every other record is lost", 10_000, by_record(lambda at, n: 2 * at)),
    ("record runs: RECORD is 0", 20_000, by_record(lambda at, n: 0)),
    ("record runs: it starts again each hour", 20_000, by_record(lambda at, n: at % 60)),
    ("record runs: it starts again after two rows", 10_000, by_record(lambda at, n: at % 2)),
    ("record runs: it goes down", 10_000, by_record(lambda at, n: n - at)),
    ("record runs: no order", 10_000, by_record(lambda at, n: at * 7_919 % 1_000_003)),
    ("rows that go back in time", 10_000, lambda n: one_file(row(n - at, at) for at in range(n))),
    ("conflicts", 5_000, conflicts),
    ("rejected lines", 10_000, lambda n: one_file(f'"{stamp(at)}",{at},1.5\r\n' for at in range(n))),
    ("lines that are held", 10_000, lambda n: one_file(row(at + 60_000_000, at) for at in range(n))),
]


def cost(folder, shape, n):
    """CPU seconds of all commands."""
    content, patterns = shape(n)
    text = "".join(f'[[table]]\nname = "t{at}"\nfiles = ["{pattern}"]\n' for at, pattern in enumerate(patterns))
    station = Station(folder, text)
    for name, lines in content.items():
        (station.folder / name).write_text(lines, encoding="ascii", newline="")
    spent = sum(station(command, exits=exits).cpu for command, exits in COMMANDS)
    shutil.rmtree(station.folder)
    return spent


def shapes(work, judge, quick, _rows):
    """Each dimension, doubled."""
    # Other programs affect either side by chance; a cost that grows shows in each pair.
    repetitions = 4 if quick else REPETITIONS
    larger = 1 if quick else LARGER
    start = min(cost(work / "start", SHAPES[0][2], 1) for _ in range(3))
    note(f"six starts: {start * 1000:.0f} ms")
    for name, n, shape in SHAPES:
        n *= larger
        once = cost(work / "x", shape, n) - start
        while once < LEAST and n < 200_000:
            n *= 2
            once = cost(work / "x", shape, n) - start
        one, four = once, float("inf")
        for _ in range(repetitions):
            four = min(four, cost(work / "x", shape, 4 * n) - start)
            if math.sqrt(four / one) <= LIMIT * 0.95:
                break
            one = min(one, cost(work / "x", shape, n) - start)
        judge.most(f"shapes: {name}", math.sqrt(four / one), LIMIT, f"{n:,}: {one:.2f} s, {4 * n:,}: {four:.2f} s", slack=False)
