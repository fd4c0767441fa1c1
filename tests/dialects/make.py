"""Makes the files of this folder and `expected.json`: text tables in many dialects, and their rows as pandas reads them with the
right arguments.

    python3 -m venv /tmp/dialects && /tmp/dialects/bin/pip install pandas==3.1.1
    /tmp/dialects/bin/python tests/dialects/make.py

`tests/end_to_end/dialects.rs` lets `init` write a configuration for each file, ingests it, and compares the rows. Each case is a
file name, its content, and how pandas reads it: arguments of `read_csv`, the columns of the time, its format, and what remains to
be done where pandas has no argument for it.
"""

import datetime as dt
import io
import json
import math
import pathlib

import pandas as pd

HERE = pathlib.Path(__file__).parent
CASES = []


def case(name, content, time, format=None, values=None, tags=(), utc=False, fix=None, encoding="utf-8", **read):
    """One file. `time`: names of its columns, joined by a blank for `format`, a strftime format or a function of the text."""
    data = content if isinstance(content, bytes) else content.encode(encoding)
    CASES.append(dict(name=name, data=data, time=time, format=format, values=values, tags=tags, utc=utc, fix=fix, read=read))


def half_hours(count=8, start="2021-06-25 22:00"):
    first = dt.datetime.fromisoformat(start)
    return [first + dt.timedelta(minutes=30 * step) for step in range(count)]


def numbers(row):
    return 10 + row * 1.25, 80 - row / 4, row * 0.5 - 1


def table(stamp, sep=",", comma=False, head=None, end="\n", count=8, start="2021-06-25 22:00", places=2):
    """Rows with a time and three values."""
    lines = [head] if head else []
    for row, time in enumerate(half_hours(count, start)):
        texts = [f"{value:.{places}f}" for value in numbers(row)]
        if comma:
            texts = [text.replace(".", ",") for text in texts]
        lines.append(sep.join([stamp(time), *texts]))
    return end.join(lines) + end


NAMES = "Time,Temp,Hum,Flux"
iso = lambda time: f"{time:%Y-%m-%d %H:%M:%S}"

case("01-commas-iso.csv", table(iso, head=NAMES), ["Time"], "%Y-%m-%d %H:%M:%S")
case("02-no-header.csv", table(iso), [0], "%Y-%m-%d %H:%M:%S", header=None)
case("03-semicolons-decimal-comma.csv", table(lambda t: f"{t:%d.%m.%Y %H:%M}", ";", True, "Zeit;Temp;Feuchte;Fluss"),
     ["Zeit"], "%d.%m.%Y %H:%M", sep=";", decimal=",")
case("04-tabs.txt.csv", table(iso, "\t", head="Time\tTemp\tHum\tFlux"), ["Time"], "%Y-%m-%d %H:%M:%S", sep="\t")
case("05-tabs-decimal-comma.csv", table(iso, "\t", True, "Time\tTemp\tHum\tFlux"), ["Time"], "%Y-%m-%d %H:%M:%S", sep="\t",
     decimal=",")
case("06-blanks-date-and-time.csv", table(iso, "  ", head="Date Time Temp Hum Flux"), ["Date", "Time"], "%Y-%m-%d %H:%M:%S",
     sep=r"\s+")
case("07-bars.csv", table(iso, "|", head="Time|Temp|Hum|Flux"), ["Time"], "%Y-%m-%d %H:%M:%S", sep="|")
case("08-american.csv", table(lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t:%M}", head=NAMES), ["Time"], "%m/%d/%Y %H:%M")
case("09-american-short-year.csv", table(lambda t: f"{t:%m/%d/%y %H:%M}", head=NAMES), ["Time"], "%m/%d/%y %H:%M")
case("10-american-am-pm.csv", table(lambda t: f"{t:%m/%d/%Y %I:%M:%S %p}", head=NAMES), ["Time"], "%m/%d/%Y %I:%M:%S %p")
case("11-british.csv", table(lambda t: f"{t:%d/%m/%Y %H:%M}", head=NAMES), ["Time"], "%d/%m/%Y %H:%M")
case("12-british-days-below-13.csv", table(lambda t: f"{t:%d/%m/%Y %H:%M}", head=NAMES, count=200, start="2021-03-01 00:00"),
     ["Time"], "%d/%m/%Y %H:%M")
case("13-german-short-year.csv", table(lambda t: f"{t:%d.%m.%y %H:%M:%S}", ";", True, "Zeit;T;F;S"), ["Zeit"],
     "%d.%m.%y %H:%M:%S", sep=";", decimal=",")
case("14-month-names.csv", table(lambda t: f"{t:%d-%b-%Y %H:%M:%S}", head=NAMES), ["Time"], "%d-%b-%Y %H:%M:%S")
case("15-iso-with-t.csv", table(lambda t: f"{t:%Y-%m-%dT%H:%M:%S}", head=NAMES), ["Time"], "%Y-%m-%dT%H:%M:%S")
case("16-iso-utc.csv", table(lambda t: f"{t:%Y-%m-%dT%H:%M:%S}Z", head=NAMES), ["Time"], "%Y-%m-%dT%H:%M:%S%z", utc=True)
case("17-iso-with-offset.csv", table(lambda t: f"{t:%Y-%m-%d %H:%M:%S}-06:00", head=NAMES), ["Time"], "%Y-%m-%d %H:%M:%S%z",
     utc=True)
case("18-compact.csv", table(lambda t: f"{t:%Y%m%d%H%M}", head="TIMESTAMP_END,TA,RH,FC"), ["TIMESTAMP_END"], "%Y%m%d%H%M")
case("19-date-and-time-columns.csv", table(lambda t: f"{t:%d.%m.%Y};{t:%H:%M:%S}", ";", True, "Datum;Zeit;T;F;S"),
     ["Datum", "Zeit"], "%d.%m.%Y %H:%M:%S", sep=";", decimal=",")
case("20-date-and-am-pm-columns.csv", table(lambda t: f"{t:%m/%d/%Y},{t:%I:%M %p}", head="Date,Time,Temp,Hum,Flux"),
     ["Date", "Time"], "%m/%d/%Y %I:%M %p")
case("21-units-line.csv", "Time,Temp,Hum,Flux\n-,degC,%,W/m2\n" + table(iso), ["Time"], "%Y-%m-%d %H:%M:%S", skiprows=[1])
case("22-units-in-brackets.csv", table(iso, head="Time,Temp [degC],Hum [%],Flux [W m-2]"), ["Time"], "%Y-%m-%d %H:%M:%S")
case("23-lines-above-the-names.csv", "Station: Tower\nLogger 12345\n\n" + table(iso, head=NAMES), ["Time"], "%Y-%m-%d %H:%M:%S",
     skiprows=2)
case("24-comments.csv", "# Station Tower\n# made by a program\n" + table(iso, head=NAMES) + "# end\n", ["Time"],
     "%Y-%m-%d %H:%M:%S", comment="#")
case("25-names-in-a-comment.csv", "# Station Tower\n# " + table(iso, head=NAMES), ["Time"], "%Y-%m-%d %H:%M:%S", skiprows=2,
     header=None, names=["Time", "Temp", "Hum", "Flux"])
case("26-footer.csv", table(iso, head=NAMES) + "Total rows: 8\nEnd of file\n", ["Time"], "%Y-%m-%d %H:%M:%S", nrows=8)
case("27-thousands.csv", 'Time,Temp,Count\n' + "".join(f'{iso(t)},{n}.5,"{1234567 + n:,}"\n' for n, t in enumerate(half_hours())),
     ["Time"], "%Y-%m-%d %H:%M:%S", thousands=",")
case("28-thousands-german.csv", 'Zeit;T;Zahl\n' + "".join(
    f'{t:%d.%m.%Y %H:%M};{n},5;1.234.567,{n}\n' for n, t in enumerate(half_hours())), ["Zeit"], "%d.%m.%Y %H:%M", sep=";",
     decimal=",", thousands=".")
case("29-thousands-swiss.csv", "Zeit;T;Zahl\n" + "".join(
    f"{t:%d.%m.%Y %H:%M};{n}.5;1'234'567.{n}\n" for n, t in enumerate(half_hours())), ["Zeit"], "%d.%m.%Y %H:%M", sep=";",
     thousands="'", quoting=3)
case("30-every-field-in-quotes.csv", "".join(
    ",".join(f'"{field}"' for field in line.split(",")) + "\n" for line in table(iso, head=NAMES).splitlines()), ["Time"],
     "%Y-%m-%d %H:%M:%S")
case("31-single-quotes.csv", "'Time','Temp','Note'\n" + "".join(f"'{iso(t)}',{n}.5,'a, b'\n" for n, t in enumerate(half_hours())),
     ["Time"], "%Y-%m-%d %H:%M:%S", quotechar="'")
case("32-blanks-behind-commas.csv", table(iso, ", ", head="Time, Temp, Hum, Flux"), ["Time"], "%Y-%m-%d %H:%M:%S",
     skipinitialspace=True)
case("33-missing-words.csv", "Time,Temp,Hum\n" + "".join(
    f"{iso(t)},{['1.5', 'NA', '', 'NaN', 'null', '2.5', 'N/A', '3.5'][n]},{n}\n" for n, t in enumerate(half_hours())), ["Time"],
     "%Y-%m-%d %H:%M:%S")
case("34-year-doy-hhmm.csv", table(lambda t: f"{t.year},{t:%j},{t.hour * 100 + t.minute}", head="Year,DOY,HHMM,Temp,Hum,Flux"),
     ["Year", "DOY", "HHMM"], lambda text: dt.datetime.strptime("%s %s %04d" % (*text.split()[:2], int(text.split()[2])), "%Y %j %H%M"))
case("35-year-doy-hhmm-no-header.csv", table(lambda t: f"{t.year};{t:%j};{t:%H%M}", ";"), [0, 1, 2],
     lambda text: dt.datetime.strptime("%s %s %04d" % (*text.split()[:2], int(text.split()[2])), "%Y %j %H%M"), sep=";", header=None)
case("36-year-month-day-hour-minute.csv",
     table(lambda t: f"{t.year} {t.month} {t.day} {t.hour} {t.minute}", " ", head="year month day hour minute temp hum flux"),
     ["year", "month", "day", "hour", "minute"], "%Y %m %d %H %M", sep=r"\s+")
case("37-unix-seconds.csv", table(lambda t: str(int(t.replace(tzinfo=dt.timezone.utc).timestamp())), head="time,Temp,Hum,Flux"),
     ["time"], lambda text: dt.datetime.fromtimestamp(int(text), dt.timezone.utc), utc=True)
case("38-unix-milliseconds.csv",
     table(lambda t: str(int(t.replace(tzinfo=dt.timezone.utc).timestamp()) * 1000 + 250), head="epoch;T;H;F".replace(";", ",")),
     ["epoch"], lambda text: dt.datetime.fromtimestamp(int(text) / 1000, dt.timezone.utc), utc=True)
case("39-excel-days.csv", table(lambda t: f"{(t - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1):.10f}", head="Date,Temp,Hum,Flux"),
     ["Date"], lambda text: dt.datetime(1899, 12, 30) + dt.timedelta(milliseconds=round(float(text) * 86_400_000)))
case("40-midnight-as-24.csv", table(
    lambda t: f"{t:%Y-%m-%d %H:%M}" if (t.hour, t.minute) != (0, 0) else f"{t - dt.timedelta(days=1):%Y-%m-%d} 24:00", head=NAMES),
     ["Time"], lambda text: dt.datetime.strptime(text[:10], "%Y-%m-%d") + dt.timedelta(hours=int(text[11:13]), minutes=int(text[14:16])))
case("41-midnight-with-the-old-date.csv", table(
    lambda t: f"{t:%Y-%m-%d %H:%M}" if (t.hour, t.minute) != (0, 0) else f"{t - dt.timedelta(days=1):%Y-%m-%d} 00:00", head=NAMES),
     ["Time"], lambda text: dt.datetime.strptime(text, "%Y-%m-%d %H:%M") + dt.timedelta(days=text.endswith("00:00")))
case("42-utf-16.csv", "\ufeff" + table(iso, "\t", head="Time\tTemp °C\tHum\tFlux", end="\r\n"), ["Time"], "%Y-%m-%d %H:%M:%S",
     encoding="utf-16-le", sep="\t")
case("43-windows-1252.csv", table(lambda t: f"{t:%d.%m.%Y %H:%M}", ";", True, "Zeit;Temp °C;Feuchte;Wärme", end="\r\n"), ["Zeit"],
     "%d.%m.%Y %H:%M", sep=";", decimal=",", encoding="cp1252")
case("44-utf-8-with-mark.csv", "\ufeff" + table(iso, head="Time,Temp,Hum,Wärme", end="\r\n"), ["Time"], "%Y-%m-%d %H:%M:%S")
case("45-tags.csv", "Time,Plot,Temp\n" + "".join(
    f"{iso(t)},{plot},{n + len(plot) / 10}\n" for n, t in enumerate(half_hours()) for plot in ("6a", "6bc")), ["Time"],
     "%Y-%m-%d %H:%M:%S", tags=["Plot"])
case("46-r-row-names.csv", '"","Time","Temp"\n' + "".join(f'"{n + 1}",{iso(t)},{n}.5\n' for n, t in enumerate(half_hours())),
     ["Time"], "%Y-%m-%d %H:%M:%S")
case("47-spreadsheet-leaves-midnight-away.csv", table(
    lambda t: f"{t:%m/%d/%Y %H:%M}" if (t.hour, t.minute) != (0, 0) else f"{t:%m/%d/%Y}", head=NAMES, count=40),
     ["Time"], lambda text: dt.datetime.strptime(text, "%m/%d/%Y %H:%M" if " " in text else "%m/%d/%Y"))
case("48-fractions-of-seconds.csv", "Time,Ux\n" + "".join(f"2021-06-25 10:00:{n // 10:02d}.{n % 10},{n * 0.25}\n" for n in range(30)),
     ["Time"], "ISO8601")
case("49-hobo.csv", '"Plot Title: Well 3"\n"#","Date Time, GMT-05:00","Temp, °C"\n' + "".join(
    f'{n + 1},{t:%m/%d/%y %I:%M:%S %p},{n * 0.5}\n' for n, t in enumerate(half_hours())), ["Date Time, GMT-05:00"],
     "%m/%d/%y %I:%M:%S %p", skiprows=1)
case("50-signs-and-exponents.csv", "Time,A,B\n" + "".join(f"{iso(t)},+{n}.5,-1.5E-0{n}\n" for n, t in enumerate(half_hours())),
     ["Time"], "%Y-%m-%d %H:%M:%S")
case("51-old-mac-and-trailing-blanks.csv", table(iso, head=NAMES).replace("\n", "  \r\n"), ["Time"], "%Y-%m-%d %H:%M:%S")
case("52-record-numbers.csv", "TIMESTAMP,RECORD,Temp\n" + "".join(f"{iso(t)},{100 + n},{n}.5\n" for n, t in enumerate(half_hours())),
     ["TIMESTAMP"], "%Y-%m-%d %H:%M:%S")


def plain(value):
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return float(value) if not isinstance(value, str) else value


def rows(case):
    frame = pd.read_csv(io.BytesIO(case["data"]), encoding_errors="strict", dtype_backend="numpy_nullable",
                        encoding=encoding_of(case["data"]), **case["read"])
    frame.columns = [name.strip() if isinstance(name, str) else name for name in frame.columns]
    times = frame[case["time"]].astype(str).agg(" ".join, axis=1).str.strip()
    if callable(case["format"]):
        times = pd.Series([pd.Timestamp(case["format"](text)) for text in times])
    else:
        times = pd.to_datetime(times, format=case["format"])
    if case["utc"]:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    others = [name for name in frame.columns if name not in case["time"] and name != "RECORD"]
    values = frame[others].astype(object).where(frame[others].notna(), None)
    stamps = [f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond:06d}" for time in times]
    return [[stamp, *map(plain, row)] for stamp, row in zip(stamps, values.itertuples(index=False, name=None))]


def encoding_of(data):
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        data.decode("utf-8-sig")
        return "utf-8-sig"
    except UnicodeDecodeError:
        return "cp1252"


def main():
    expected = {}
    for one in CASES:
        (HERE / one["name"]).write_bytes(one["data"])
        expected[one["name"]] = {"utc": one["utc"], "rows": rows(one)}
    lines = [f'"{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in expected.items()]
    (HERE / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


main()
