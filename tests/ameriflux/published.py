"""What AmeriFlux's published format checks say of files: published.py REPOSITORY FILE…

REPOSITORY is a clone of AMF-FLX/AMF-BASE-QAQC. Its checks run as `upload_checks.py` runs them; its services (the list of
variables, the list of sites) are answered from its own test data. Prints a line a file: its name, then each check that is
not OK with its severity. Needs numpy below 2.
"""
import json, os, sys, tempfile, types, warnings

repository, files = os.path.abspath(sys.argv[1]), [os.path.abspath(file) for file in sys.argv[2:]]
processing = os.path.join(repository, "processing")
sys.path.insert(0, processing)
limits = json.load(open(os.path.join(processing, "test/testdata/physical_range/limits.json")))
names = {entry["Name"]: entry.get("Units") for entry in limits}


def stub(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module
    return module


class FPVariables:
    def get_fp_vars_dict(self):
        return dict(names)


class SiteAttributes:
    def get_site_dict(self):
        return {"US-UMB": "UMBS"}


stub("fp_vars", FPVariables=FPVariables)
stub("site_attrs", SiteAttributes=SiteAttributes)
stub("matplotlib", mlab=stub("matplotlib.mlab"), dates=stub("matplotlib.dates"))
place = tempfile.mkdtemp()
for wanted, source in [("qaqc.cfg", "qaqc_template.cfg"), ("Check_messages.txt", "Check_messages.txt")]:
    text = open(os.path.join(processing, source)).read()
    open(os.path.join(place, wanted), "w").write(text)
os.chdir(place)

import logging
from logger import Logger
real_stdout, sys.stdout = sys.stdout, open(os.devnull, "w")
logging.disable(logging.CRITICAL)
# Counting is done in the loggers' own methods, which the line above does not switch off.
from data_missing import DataMissing
from data_reader import DataReader
from file_name_verifier import FileNameVerifier
from gap_fill import GapFilled
from missing_value_format import MissingValueFormat
from timestamp_checks import TimestampChecks

SEVERITY = {-1: "warning", -2: "error", -3: "critical"}


def statuses(file):
    found = []
    verifier = FileNameVerifier()
    found.append(verifier.driver(file))
    reader = DataReader()
    try:
        found += reader.driver(file, "o")
    except Exception:
        return found, "read_file"
    if reader.data is None:
        return found, None
    try:
        found += TimestampChecks().driver(reader, verifier.fname_attrs)[0]
        found.append(MissingValueFormat().driver(reader, file))
        found += GapFilled().driver(reader)
        found += DataMissing().driver(reader)
        Logger().getLogger("check_root_qualifier_headers").resetStats()
        found.append(reader.check_root_qualifier_headers())
    except Exception:
        return found, "read_file"
    return found, None


RENAMED = {"Is ALL Data Missing?": "all_data_missing", "Is all Data Missing?": "all_data_missing"}
for file in files:
    found, broken = statuses(file)
    said = {}
    for status in found:
        code = status.get_status_code()
        if code < 0:
            name = status.get_src_logger_name()
            name = RENAMED.get(name, name)
            said[name] = min(code, said.get(name, 0))
    if broken:
        said[broken] = -3
    text = " ".join(f"{name}={SEVERITY[code]}" for name, code in sorted(said.items()))
    print(os.path.basename(file), text, file=real_stdout, sep="\t")
