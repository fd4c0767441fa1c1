#!/usr/bin/env python3
"""Says what is in the program besides its own code, by Cargo.lock: crates that are compiled into it, SQLite, and the
vendored script of the page. Tests and build scripts are not in the program.

    packaging/crates.py licences TARGET     every licence text, for a file beside the program
    packaging/crates.py sbom TARGET         a bill of materials: CycloneDX 1.5, JSON

A crate that states no licence stops it. A crate that states one and comes without its text gets the text of this folder.
"""

import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEXTS = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE")


class Crates:
    """The crates that are compiled into the program for a target."""

    def __init__(self, target):
        command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
        data = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
        self.packages = {package["id"]: package for package in data["packages"]}
        nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
        own = data["resolve"]["root"]
        self.own, self.edges, queue = self.packages[own], {}, [own]
        while queue:
            node = queue.pop()
            if node in self.edges:
                continue
            used = [dep["pkg"] for dep in nodes[node]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
            self.edges[node] = used
            queue += used
        others = (self.packages[one] for one in self.edges if one != own)
        self.others = sorted(others, key=lambda package: (package["name"], package["version"]))
        lacking = [package["name"] for package in self.others if not licence_of(package)]
        if lacking:
            sys.exit(f"crates: no licence is stated by {', '.join(lacking)}")


def licence_of(package):
    """As an SPDX expression; some crates still write "MIT/Apache-2.0"."""
    if package["license"]:
        return package["license"].replace("/", " OR ")
    return f"see {package['license_file']}" if package["license_file"] else None


def texts_of(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.upper().startswith(TEXTS))
    if not files and package["license_file"]:
        files = [folder / package["license_file"]]
    if not files:
        if "Apache-2.0" not in (package["license"] or ""):
            sys.exit(f"crates: {package['name']} comes without the text of its licence, {package['license']}")
        files = [ROOT / "LICENSE-APACHE"]
    return [(file.name, file.read_text(encoding="utf-8", errors="replace").strip()) for file in files]


def vendored():
    """Name, version and licence text of the scripts that the page brings along."""
    for text in sorted((ROOT / "web/vendor").glob("*.LICENSE")):
        script = next(text.parent.glob(f"{text.stem}*.js"))
        banner = script.read_text(encoding="utf-8")[:400]
        version = banner.split("(v", 1)[1].split(")", 1)[0] if "(v" in banner else None
        yield text.stem, version, script, text.read_text(encoding="utf-8").strip()


def sqlite_version(crates):
    """libsqlite3-sys compiles the SQLite that lies in its package."""
    package = next(package for package in crates.others if package["name"] == "libsqlite3-sys")
    header = pathlib.Path(package["manifest_path"]).parent / "sqlite3/sqlite3.h"
    line = next(line for line in header.read_text().splitlines() if line.startswith("#define SQLITE_VERSION "))
    return line.split('"')[1]


def licences(crates):
    print("What is in this program, and its licences\n")
    for package in crates.others:
        print(f"{package['name']} {package['version']}  {licence_of(package)}  {package['repository'] or ''}".rstrip())
    print("the Rust standard library  MIT OR Apache-2.0  https://github.com/rust-lang/rust")
    for name, version, _, _ in vendored():
        print(f"{name} {version or ''}".rstrip() + "  see below")
    print(f"SQLite {sqlite_version(crates)}, compiled in by libsqlite3-sys, is in the public domain.\n")
    # Most crates come with one of two texts, word for word.
    owners = {}
    for package in crates.others:
        for name, text in texts_of(package):
            owners.setdefault(text, []).append(f"{package['name']} {package['version']}: {name}")
    for name, _, _, text in vendored():
        owners.setdefault(text, []).append(name)
    for text, names in owners.items():
        print("\n---- " + "\n     ".join(names) + f"\n\n{text}")


def sbom(crates):
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    sums = {(one["name"], one["version"]): one.get("checksum") for one in lock["package"]}

    def reference(package):
        return f"pkg:cargo/{package['name']}@{package['version']}"

    def component(package):
        made = {
            "type": "library",
            "bom-ref": reference(package),
            "name": package["name"],
            "version": package["version"],
            "purl": reference(package),
            # A crate that names a file has no expression.
            "licenses": [{"expression": licence_of(package)} if package["license"] else {"license": {"name": licence_of(package)}}],
        }
        if package["description"]:
            made["description"] = " ".join(package["description"].split())
        if checksum := sums.get((package["name"], package["version"])):
            made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package["repository"]:
            made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return made

    def beside(name, version, **more):
        return {"type": "library", "bom-ref": name, "name": name, **({"version": version} if version else {}), **more}

    own = crates.own
    scripts = []
    for name, version, script, _ in vendored():
        content = hashlib.sha256(script.read_bytes()).hexdigest()
        scripts.append(beside(name, version, hashes=[{"alg": "SHA-256", "content": content}]))
    sqlite = beside("sqlite", sqlite_version(crates), licenses=[{"license": {"name": "Public Domain"}}])
    depends = [
        {"ref": reference(crates.packages[one]), "dependsOn": sorted({reference(crates.packages[used]) for used in edges})}
        for one, edges in sorted(crates.edges.items())
    ]
    for entry in depends:
        if entry["ref"].startswith("pkg:cargo/libsqlite3-sys@"):
            entry["dependsOn"].append("sqlite")
        if entry["ref"] == reference(own):
            entry["dependsOn"] += [script["name"] for script in scripts]
    # The time of the commit, so that the same source gives the same file.
    at = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    print(json.dumps({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": reference(own),
                "name": own["name"],
                "version": own["version"],
                "description": own["description"],
                "licenses": [{"expression": own["license"]}],
                "purl": reference(own),
            },
        },
        "components": [component(package) for package in crates.others] + [sqlite, *scripts],
        "dependencies": depends,
    }, indent=1))


if __name__ == "__main__":
    wanted = {"licences": licences, "sbom": sbom}
    if len(sys.argv) != 3 or sys.argv[1] not in wanted:
        sys.exit(__doc__)
    wanted[sys.argv[1]](Crates(sys.argv[2]))
