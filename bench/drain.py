"""Sending a backlog, compared with curl and with a Python script.

Compared with `curl` are the same rows in the same bodies. A first sync goes to a server that keeps every body, as the
program compressed it (the level is LEVEL in src/sync/batch.rs). curl then posts those files one after the other over one
connection of one process (`-K`, `next`; the benchmark checks that it made one connection), with nothing to read, render or
compress. The program starts, reads SQLite, renders, compresses, sends and writes a receipt for each request. Each
measurement has its own server with an empty database, the two alternate, the median of three counts, and the rows are
counted in the server after each. The time is that of the whole process.

"Away" means that a request and its answer take 50 ms longer (bench/delay.py); loopback does not limit the rate. There are
two such measurements. A server that answers at once represents one whose work is done on another machine: only the waiting
is left, and several requests in flight must use it. InfluxDB 2.7 behind the same delay uses the processors of this machine,
about 30 us of CPU a row, so two of them are busy before three times the rate of curl is reached.
"""
import subprocess
import sys
from pathlib import Path

import make_toa5
import servers
from measure import Station, median, not_run, note, run, table

# Milliseconds added to a request and its answer: a university's server from a tower with a mobile link.
FAR = 50


def backlog(work, rows):
    """A station with this many pending rows of sixteen values, and its file."""
    data = work / "backlog.dat"
    make_toa5.write(data, rows)
    station = Station(work / "backlog", table("EC_fast", data))
    station("ingest")
    return station


def sync_all(station, rows, work, destination):
    """Sends everything again to this destination. Returns the sync's usage and report."""
    station.configure(table("EC_fast", work / "backlog.dat"), destination)
    station("replay", "--since", "2000-01-01")
    usage = station("sync")
    report = usage.json()
    if (report["sent"], report["pending"]) != (rows, 0):
        sys.exit(f"bench: {report}")
    return usage, report


def post_all(url, path, headers, files, work):
    """curl posts these bodies one after the other over one connection."""
    plan = work / "curl.conf"
    with open(plan, "w", encoding="utf-8") as text:
        for number, file in enumerate(files):
            text.write("next\n" if number else "")
            text.write(f'url = "{url}{path}"\ndata-binary = "@{file}"\nheader = "Content-Encoding: gzip"\nheader = "Expect:"\n'
                       'header = "Content-Type: text/plain; charset=utf-8"\noutput = "/dev/null"\nwrite-out = "%{http_code} %{num_connects}\\n"\n'
                       'noproxy = "*"\nsilent\n')
            text.writelines(f'header = "{header}"\n' for header in headers)
    usage = run(["curl", "-K", plan])
    answers = [line.split() for line in usage.out.decode().splitlines()]
    if {status for status, _ in answers} != {"204"}:
        sys.exit(f"bench: curl was answered {sorted({status for status, _ in answers})}")
    if sum(int(connects) for _, connects in answers) != 1:
        sys.exit("bench: curl did not keep its connection, so the comparison is not valid")
    return usage


def drain(work, judge, quick, _rows):
    """A day of backlog, to a server that does nothing and to InfluxDB 2.7 and 1.6."""
    rows = 100_000 if quick else 864_000
    station = backlog(work, rows)
    bodies = work / "bodies"
    bodies.mkdir()
    with servers.sink(work, bodies) as url:
        _, report = sync_all(station, rows, work, servers.destination(url))
    files = sorted(bodies.iterdir())
    note(f"{rows:,} rows of 16 values in {len(files)} requests, {report['wire_bytes'] / rows:.1f} compressed bytes a row of "
         f"{report['bytes'] / rows:.0f}")
    for server in (servers.Influxd2, servers.Influxd1):
        beside_curl(work, judge, station, rows, files, server, 0, 1.0)
    beside_curl(work, judge, station, rows, files, servers.Nothing, FAR, 3.0)
    beside_curl(work, judge, station, rows, files, servers.Influxd2, FAR, 1.3)
    beside_pandas(work, judge, station, rows)


def beside_curl(work, judge, station, rows, files, server, milliseconds, limit):
    """Rows a second into a server, against curl."""
    where = server.label + (f", {milliseconds} ms away" if milliseconds else "")
    if why := server.missing():
        not_run(f"drain into {where}", why)
        return
    ours, theirs, memory = [], [], []

    def measure(send):
        with server.started(work / "influxd") as near:
            if milliseconds:
                with servers.far_away(near, work, milliseconds) as far:
                    usage = send(far)
            else:
                usage = send(near)
            counted(server, near, rows)
        return usage

    def fluxtower():
        usage = measure(lambda url: sync_all(station, rows, work, server.destination(url))[0])
        ours.append(usage.wall)
        memory.append(usage.memory)

    def curl():
        theirs.append(measure(lambda url: post_all(url, server.write_path, server.headers, files, work)).wall)

    for turn in range(3):
        for one in (fluxtower, curl) if turn % 2 == 0 else (curl, fluxtower):
            one()
    judge.least(f"drain: rows/s into {where} / sequential curl", median(theirs) / median(ours), limit,
                f"{rows / median(ours):,.0f} / {rows / median(theirs):,.0f} rows/s")
    note("fluxtower " + ", ".join(f"{wall:.2f}" for wall in ours) + " s; curl " + ", ".join(f"{wall:.2f}" for wall in theirs)
         + f" s; {max(memory):.0f} MB at most")


def counted(server, url, rows):
    """Ends the benchmark unless the server has all rows, counted by a column that is sometimes missing."""
    count = server.count(url, "EC_fast", "Batt")
    if count is not None and not rows * 0.99 < count <= rows:
        sys.exit(f"bench: {count} of {rows} rows are in the {server.label}")


def beside_pandas(work, judge, station, rows):
    """Rows a second to a server that does nothing, compared with pandas and influxdb-client."""
    with servers.sink(work) as url:
        best = min((sync_all(station, rows, work, servers.destination(url))[0] for _ in range(3)), key=lambda usage: usage.wall)
        note(f"to a server that does nothing: {rows / best.wall:,.0f} rows/s ({best.wall:.2f} s, CPU {best.cpu:.2f} s)")
        judge.most("drain: peak memory, MB", best.memory, 64)
        if subprocess.run([sys.executable, "-c", "import pandas, influxdb_client"], capture_output=True, check=False).returncode:
            not_run("drain against pandas", "python3 -m pip install pandas influxdb-client")
            return
        sample = work / "sample.dat"
        make_toa5.write(sample, min(rows, 100_000))
        taken = [run([sys.executable, Path(__file__).with_name("pandas_route.py"), sample, url]).json() for _ in range(3)]
        theirs = max(one["rows"] / one["seconds"] for one in taken)
        judge.least("drain: rows/s / rows/s of the pandas route", rows / best.wall / theirs, 10, f"pandas writes {theirs:,.0f} rows/s")
