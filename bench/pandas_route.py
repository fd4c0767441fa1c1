"""A site's own script: read_csv, then influxdb-client. pandas_route.py FILE URL prints rows and seconds.

Only the writing is timed, with the settings that its makers recommend: data frames of 5,000 rows, gzip, one connection.
Import and parsing are left out, in its favour: fluxtower's drain reads its rows from the store.
"""
import json
import sys
import time

import pandas
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

frame = pandas.read_csv(sys.argv[1], skiprows=[0, 2, 3], na_values=["NAN"], parse_dates=["TIMESTAMP"], date_format="ISO8601")
frame = frame.set_index("TIMESTAMP").tz_localize("-05:00").drop(columns=["RECORD"]).astype(float)
with InfluxDBClient(url=sys.argv[2], token="any", org="any", enable_gzip=True, timeout=120_000) as client:
    writer = client.write_api(write_options=SYNCHRONOUS)
    began = time.perf_counter()
    for first in range(0, len(frame), 5000):
        writer.write("any", record=frame.iloc[first:first + 5000], data_frame_measurement_name="fast", write_precision="ms")
    print(json.dumps({"rows": len(frame), "seconds": time.perf_counter() - began}))
