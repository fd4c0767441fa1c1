"""Compares fluxtower with Telegraf. bench/telegraf/run starts it.

losses  A file of 60 rows of 16 values is overwritten every two seconds, 60 times (LoggerNet's five minutes, scaled; the
        agents look four times a second). Just before every fifth collection each agent is killed (SIGKILL) and started again at
        once; for a third of the time the server cannot be reached. A row is lost when one of its values is not in the bucket at
        the end. A torn value is one that was sent and was never in the file. On a busy machine an agent may miss a collection,
        which no agent can repair: measure on an idle machine.
poison  Six collections of 60 rows; in the third, one row has a stray quote, as a damaged byte leaves it.
bucket  Three collections of 60 rows; the bucket does not exist during the first two.
cost    A file of 20,000 rows of 16 values, until all of it is acknowledged: CPU (user and system) for a million values, peak
        memory.
idle    The file does not change and everything is sent: CPU over 20 s, memory.
"""
import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path

import servers
from agents import ALL, COLUMNS, Agent, Best, Fluxtower, wait
from gate import Gate
from logger import Logger

ROWS = 60
COLLECTIONS = 60
SECONDS = 2


def make_bucket(url, name):
    headers = {"Authorization": f"Token {servers.TOKEN}", "Content-Type": "application/json"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(f"{url}/api/v2/orgs?org=bench", headers=headers)) as answer:
        org = json.load(answer)["orgs"][0]["id"]
    body = json.dumps({"orgID": org, "name": name, "retentionRules": []}).encode()
    opener.open(urllib.request.Request(f"{url}/api/v2/buckets", body, headers)).close()


def there(url, bucket, truth):
    """The number of rows with every value in the bucket, and the number of values that differ."""
    text = f'from(bucket: "{bucket}") |> range(start: -2d) |> filter(fn: (r) => r._measurement == "t") |> keep(columns: ["_time", "_field", "_value"])'
    found, wrong = {}, 0
    for row in servers.Influxd2.flux(url, text):
        if row["_field"] in COLUMNS:
            at = time_of(row["_time"])
            if truth.get(at, {}).get(row["_field"]) == float(row["_value"]):
                found[at] = found.get(at, 0) + 1
            else:
                wrong += 1
    return sum(1 for at in truth if found.get(at) == len(COLUMNS)), wrong


def time_of(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * 1_000_000_000


def count(url, bucket):
    rows = servers.Influxd2.flux(url, f'from(bucket: "{bucket}") |> range(start: -2d) |> filter(fn: (r) => r._measurement == "t" and r._field == "v0") |> count()')
    return sum(int(row["_value"]) for row in rows)


def wait_for_rows(url, agents, rows, seconds=30):
    """Waits until every row is in the buckets, or until no more rows arrive."""
    unchanged, before = 0, None
    until = time.monotonic() + seconds
    while time.monotonic() < until and unchanged < 5:
        now = [count(url, agent.bucket) for agent in agents]
        if min(now) >= rows:
            return
        unchanged = unchanged + 1 if now == before else 0
        before = now
        time.sleep(1)


def say(what, agent, figure):
    print(f"{what:<8} {agent.kind.label:<36} {figure}", flush=True)


def say_lost(what, url, agents, truth, rows, failed):
    """Ends the agents when the rows are there, and says how many are not. Of fluxtower none may be lost."""
    wait_for_rows(url, agents, len(truth))
    for agent in agents:
        whole, _ = there(url, agent.bucket, truth)
        say(what, agent, f"{len(truth) - whole} of {len(truth)} {rows} lost")
        if agent.kind is Fluxtower and whole < len(truth):
            failed.append(what)
        agent.kill()


def started(work, url, gate, data, kinds, buckets=True):
    agents = []
    for kind in kinds:
        agent = Agent(work, kind, data, gate.url)
        if buckets:
            make_bucket(url, agent.bucket)
        agents.append(agent)
    for agent in agents:
        agent.start()
    return agents


def losses(work, failed):
    data = work / "t.dat"
    logger = Logger(data)
    with servers.Influxd2.started(work / "influxd") as url:
        gate = Gate(int(url.rsplit(":", 1)[1]), logger.truth)
        logger.collect(ROWS)
        agents = started(work, url, gate, data, ALL)
        began = time.monotonic()
        for turn in range(1, COLLECTIONS):
            # Not in step with any agent's clock.
            time.sleep(max(0.0, began + turn * SECONDS + logger.dice.uniform(0, 0.25) - time.monotonic()))
            gate.is_away = COLLECTIONS <= 3 * turn < 2 * COLLECTIONS
            if turn % 5 == 0:
                for agent in agents:
                    agent.kill()
                    agent.start()
            logger.collect(ROWS)
        wait_for_rows(url, agents, len(logger.truth), 60)
        for agent in agents:
            whole, wrong = there(url, agent.bucket, logger.truth)
            say("losses", agent, f"{len(logger.truth) - whole:,} of {len(logger.truth):,} rows lost; {gate.torn.get(agent.bucket, 0)} torn values sent, "
                f"{wrong} of them are in the bucket; {gate.lines.get(agent.bucket, 0):,} lines sent")
            if agent.kind is Fluxtower and (whole < len(logger.truth) or gate.torn.get(agent.bucket, 0)):
                failed.append("losses")
            agent.kill()
        gate.close()


def poison(work, failed):
    data = work / "t.dat"
    logger = Logger(data)

    def spoil(lines):
        """The row itself is lost; the rows around it are not."""
        bad = lines[20]
        lines[20] = bad[:40] + '"' + bad[40:]
        del logger.truth[sorted(logger.truth)[-ROWS + 20]]

    with servers.Influxd2.started(work / "influxd") as url:
        gate = Gate(int(url.rsplit(":", 1)[1]))
        logger.collect(ROWS)
        agents = started(work, url, gate, data, (Fluxtower, Best))
        for collection in range(1, 6):
            time.sleep(3)
            logger.collect(ROWS, spoil if collection == 2 else None)
        say_lost("poison", url, agents, logger.truth, "good rows", failed)
        gate.close()


def bucket(work, failed):
    data = work / "t.dat"
    logger = Logger(data)
    with servers.Influxd2.started(work / "influxd") as url:
        gate = Gate(int(url.rsplit(":", 1)[1]))
        logger.collect(ROWS)
        agents = started(work, url, gate, data, (Fluxtower, Best), buckets=False)
        time.sleep(5)
        logger.collect(ROWS)
        time.sleep(5)
        for agent in agents:
            make_bucket(url, agent.bucket)
        logger.collect(ROWS)
        time.sleep(5)
        # An agent that was refused tries again within two minutes.
        wait(lambda: count(url, Fluxtower.bucket) == len(logger.truth), 150)
        say_lost("bucket", url, agents, logger.truth, "rows", failed)
        gate.close()


def cost(work, _failed):
    rows = 20_000
    data = work / "t.dat"
    logger = Logger(data)
    logger.collect(rows)
    for kind in ALL:
        gate = Gate()
        agent = Agent(work, kind, data, gate.url)
        began = time.monotonic()
        agent.start()
        done = wait(lambda: gate.lines.get(agent.bucket, 0) >= rows, 120)
        took = time.monotonic() - began
        cpu, memory = agent.stop()
        gate.close()
        if not done:
            say("cost", agent, f"only {gate.lines.get(agent.bucket, 0):,} of {rows:,} rows after {took:.0f} s; {memory:.0f} MB at most")
            continue
        say("cost", agent, f"{cpu / (rows * len(COLUMNS)) * 1e6:.2f} CPU s a million values; {memory:.0f} MB at most; {took:.1f} s on the clock")


def idle(work, _failed):
    data = work / "t.dat"
    logger = Logger(data)
    logger.collect(ROWS)
    gate = Gate()
    for kind in ALL:
        agent = Agent(work, kind, data, gate.url)
        agent.start()
        wait(lambda: gate.lines.get(agent.bucket, 0) >= ROWS, 30)
        time.sleep(2)
        before = agent.cpu()
        time.sleep(20)
        say("idle", agent, f"{(agent.cpu() - before) / 20 * 1000:.1f} ms of CPU a second; {agent.memory():.0f} MB")
        agent.stop()
    gate.close()


PARTS = {"losses": losses, "poison": poison, "bucket": bucket, "cost": cost, "idle": idle}


def main():
    parser = argparse.ArgumentParser(prog="bench/telegraf/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["all"], choices=[*PARTS, "all"], metavar="part", help=", ".join([*PARTS, "all"]))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed, began = [], time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="fluxtower-telegraf-"))
    try:
        for name in list(PARTS) if "all" in arguments.parts else arguments.parts:
            folder = work / name
            folder.mkdir()
            PARTS[name](folder, failed)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"took {(time.monotonic() - began) / 60:.1f} min")
    if failed:
        print(f"bench: fluxtower lost rows or sent torn values: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
