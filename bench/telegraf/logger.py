"""Writes a .DAT file as LoggerNet does where it is set to overwrite: each collection replaces the last one."""
import random
import time
from datetime import datetime, timedelta, timezone

from agents import COLUMNS

HEADER = "".join(",".join(f'"{word}"' for word in line) + "\r\n" for line in (
    ["TOA5", "tower", "CR5000", "1041", "CR5000.Std.07", "CPU:tower.CR5", "6827", "t"],
    ["TIMESTAMP", "RECORD", *COLUMNS],
    ["TS", "RN", *["degC"] * len(COLUMNS)],
    ["", "", *["Smp"] * len(COLUMNS)]))


class Logger:
    """A row a second, beginning some hours ago; `truth` has the values of each, by time in ns."""

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
        """Overwrites the file with new rows. Somewhere it pauses for 100 ms, as a write over a network does.

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
