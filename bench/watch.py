"""How soon `run --watch` has a change in the bucket, what it costs while nothing changes, and folders of very many files.

delay  One file of ten rows is overwritten, as LoggerNet does, some seconds apart. The delay is the time from the end of the
       writing to the first query that finds the newest value in a local InfluxDB.
idle   36 files that do not change, everything sent: CPU seconds in an hour, with the system's file events and without.
daily  Dated files of one row in folders of months: the first ingest, the next one without a change, and one with one changed
       file; and what `run --watch` costs while nothing changes. n and 4n files: the cost must grow like their number.
"""
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta

import servers
from measure import PROGRAM, Station, median, not_run, note, run, table

TICK = os.sysconf("SC_CLK_TCK")
# From one full reading to the next, the default.
FULL = 120


class Watcher:
    """`run --watch` beside the benchmark, for the duration of a `with`."""

    def __init__(self, station):
        self.station = station

    def __enter__(self):
        log = open(self.station.folder / "agent.log", "ab")
        command = [PROGRAM, "--config", self.station.folder / "config.toml", "--quiet", "run", "--watch"]
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def _stat(self, name):
        with open(f"/proc/{self.process.pid}/{name}", encoding="ascii") as file:
            return file.read()

    def cpu(self):
        fields = self._stat("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        """Its peak, in MB."""
        return int(self._stat("status").split("VmHWM:")[1].split()[0]) / 1024

    def an_hour(self, seconds):
        """CPU seconds an hour, measured over so many seconds."""
        began, before = time.monotonic(), self.cpu()
        time.sleep(seconds)
        return (self.cpu() - before) / (time.monotonic() - began) * 3600


def header(table):
    return (f'"TOA5","X","CR1000X","1","OS","CPU:p.CR1X","1","{table}"\r\n"TIMESTAMP","RECORD","A","B"\r\n'
            '"TS","RN","C","C"\r\n"","","Avg","Avg"\r\n')


def pending(station):
    return sum(one["pending"] for one in station("status", exits=(0, 1)).json()["tables"])


def wait(what, condition, seconds=600):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            sys.exit(f"bench: not within {seconds} s: {what}")
        time.sleep(0.2)


def delay(work, judge, quick, _rows):
    """From the end of a write to the value in the bucket."""
    server = servers.Influxd2 if servers.Influxd2.missing() is None else servers.Influxd1
    if server.missing():
        not_run("delay", server.missing())
        return
    with server.started(work / "server") as url:
        station = Station(work / "station", table("met", "met.dat"), server.destination(url))
        file, start = station.folder / "met.dat", datetime.now().replace(microsecond=0) - timedelta(days=1)

        def newest():
            if server is servers.Influxd2:
                rows = server.flux(url, 'from(bucket: "flux") |> range(start: -3d) |> filter(fn: (r) => r._measurement == "met" and '
                                        'r._field == "A") |> last()')
                return float(rows[0]["_value"]) if rows else None
            return server.value(url, 'SELECT last("A") FROM "met"')

        def collect(turn):
            stamps = ((start + timedelta(seconds=turn + at)).strftime("%Y-%m-%d %H:%M:%S") for at in range(10))
            with open(file, "w", encoding="ascii", newline="") as out:
                out.write(header("met") + "".join(f'"{stamp}",{turn + at},{turn + at}.5,2.5\r\n' for at, stamp in enumerate(stamps)))
            return turn + 9.5

        def arrived(value):
            until = time.monotonic() + 60
            while newest() != value:
                if time.monotonic() > until:
                    sys.exit("bench: a value did not arrive within a minute")
                time.sleep(0.001)

        with Watcher(station):
            arrived(collect(0))
            dice, taken = random.Random(1), []
            for turn in range(1, 16 if quick else 61):
                time.sleep(dice.uniform(3, 4))
                value = collect(turn * 10)
                began = time.monotonic()
                arrived(value)
                taken.append(time.monotonic() - began)
    taken.sort()
    judge.most("delay: median, ms", median(taken) * 1000, 100,
               f"{server.label}; 9 of 10 within {taken[len(taken) * 9 // 10] * 1000:.0f} ms, slowest {taken[-1] * 1000:.0f} ms, {len(taken)} writes")


def watch(work, judge, quick, _rows):
    """36 files that do not change."""
    seconds = FULL if quick else 3 * FULL
    with servers.sink(work) as url:
        for events, limit in ((True, 2), (False, None)):
            tables = "".join(table(f"t{at}", f"t{at}.dat") for at in range(36))
            more = "" if events else "[watch]\nfile_events = false\n"
            station = Station(work / "station", more + tables, servers.destination(url))
            for at in range(36):
                (station.folder / f"t{at}.dat").write_text(
                    header(f"t{at}") + f'"{datetime.now() - timedelta(hours=1):%Y-%m-%d %H:%M:%S}",1,1.5,2.5\r\n', encoding="ascii", newline="")
            with Watcher(station) as agent:
                wait("everything sent", lambda: pending(station) == 0)
                # The second reading of files that have just changed.
                time.sleep(5)
                spent = agent.an_hour(seconds)
                if limit:
                    judge.most("watch: CPU s an hour, 36 files", spent, limit, f"{agent.memory():.0f} MB, over {seconds} s")
                else:
                    note(f"without file events: {spent:.1f} CPU s an hour")


def daily(work, judge, quick, _rows):
    """n and 4n daily files."""
    most = 20_000 if quick else 100_000
    costs = {}
    for count in (most // 4, most):
        station = Station(work / "station", table("met", "data/*/*.dat"))
        day = datetime(2001, 1, 1)
        for at in range(count):
            # Twelve files a day, so that their rows are not of a century.
            stamp = day + timedelta(hours=at * 2)
            folder = station.folder / f"data/{stamp:%Y-%m}"
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
            (folder / f"met_{stamp:%Y_%m_%d_%H%M}.dat").write_text(
                header("met") + f'"{stamp:%Y-%m-%d %H:%M:%S}",{at},1.5,2.5\r\n', encoding="ascii", newline="")
        last = folder / f"met_{stamp:%Y_%m_%d_%H%M}.dat"
        os.sync()
        # Not as JSON, which has an entry for each file.
        ingest = [PROGRAM, "--config", station.folder / "config.toml", "--quiet", "ingest"]
        what = {"first": run(ingest, (0, 1)), "next": run(ingest, (0, 1))}
        with open(last, "a", encoding="ascii", newline="") as out:
            out.write(f'"{stamp + timedelta(minutes=1):%Y-%m-%d %H:%M:%S}",{count},1.5,2.5\r\n')
        what["one changed"] = run(ingest, (0, 1))
        if pending(station) != count + 1:
            sys.exit("bench: not every row was staged")
        for name, usage in what.items():
            note(f"{count:,} files, {name}: {usage.wall:.2f} s, CPU {usage.cpu:.2f} s, {usage.memory:.0f} MB")
        costs[count] = {name: usage.cpu for name, usage in what.items()}
        with Watcher(station) as agent:
            wait("everything sent", lambda: pending(station) == 0)
            time.sleep(5)
            note(f"{count:,} files, run --watch: {agent.an_hour(FULL):.0f} CPU s an hour, {agent.memory():.0f} MB")
    for name in ("first", "next", "one changed"):
        judge.most(f"daily: {name}, CPU of 4n files / n files, root", (costs[most][name] / costs[most // 4][name]) ** 0.5, 2.3,
                   f"{costs[most][name]:.2f} s / {costs[most // 4][name]:.2f} s, {most:,} files", slack=False)
