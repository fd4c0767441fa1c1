"""Writes a .DAT file as LoggerNet does in overwrite mode: each collection replaces the previous one."""
import random
import time
from datetime import datetime, timedelta, timezone

from agents import COLUMNS

HEADER = "".join(",".join(f'"{text}"' for text in line) + "\r\n" for line in (
    ["TOA5", "tower", "CR5000", "1041", "CR5000.Std.07", "CPU:tower.CR5", "6827", "t"],
    ["TIMESTAMP", "RECORD", *COLUMNS],
    ["TS", "RN", *["degC"] * len(COLUMNS)],
    ["", "", *["Smp"] * len(COLUMNS)]))


class Logger:
    """One row a second, beginning some hours ago; `truth` holds the values of each by time in ns."""

    def __init__(self, path, seed=1):
        self.path, self.truth, self.record = path, {}, 0
        self.dice = random.Random(seed)
        self.now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0) - timedelta(hours=6)

    def rows(self, count):
        lines = []
        for _ in range(count):
            texts = [f"{self.dice.uniform(-50, 900):.7g}" for _ in COLUMNS]
            at = int(self.now.replace(tzinfo=timezone.utc).timestamp()) * 1_000_000_000
            self.truth[at] = dict(zip(COLUMNS, map(float, texts)))
            lines.append(f'"{self.now:%Y-%m-%d %H:%M:%S}",{self.record},{",".join(texts)}\r\n')
            self.now += timedelta(seconds=1)
            self.record += 1
        return lines

    def collect(self, count, spoil=None):
        """Overwrites the file with new rows. At a random place it pauses for 100 ms, like a write over a network.

        `spoil` changes the list of lines before they are written.
        """
        lines = self.rows(count)
        if spoil:
            spoil(lines)
        text = HEADER + "".join(lines)
        cut = self.dice.randrange(len(HEADER), len(text))
        with open(self.path, "w", newline="", encoding="ascii") as file:
            file.write(text[:cut])
            file.flush()
            time.sleep(0.1)
            file.write(text[cut:])
