"""What proves the releases of a demo: the files that it kept of its job, and those of its SQL question, fetched over REST.
Needs nothing but Python.

usage: releases.py DEMO.JSON FOLDER        fetches the SQL question's release into FOLDER
"""

import json
import pathlib
import ssl
import sys
import urllib.request

# The parts of a release as the server names them, and the files that `glovebox verify` looks for.
PARTS = {
    "result": "result.json", "certificate": "result.dsse.json", "entry": "result.entry.json", "proof": "result.tlog-proof",
}


def get(told, path, person="analyst"):
    """The bytes that the demo's server gives to a person."""
    request = urllib.request.Request(f"{told['http_url']}/api/v1{path}")
    request.add_header("Authorization", f"Bearer {told['tokens'][person]}")
    context = ssl.create_default_context(cafile=told["ca_cert"])
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        return answer.read()


def entries(log):
    """The entries of an exported log, in their order."""
    for path in sorted((log / "tile" / "entries").rglob("*")):
        bundle = path.read_bytes() if path.is_file() else b""
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            yield json.loads(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]


def sql_request(demo):
    """The digest of the demo's SQL question: the certified request that is not its job's."""
    of_job = json.loads((demo / "release" / PARTS["entry"]).read_bytes())["request"]
    certified = [entry["request"] for entry in entries(demo / "log") if entry["kind"] == "certificate"]
    [request] = [request for request in certified if request != of_job]
    return request


def fetch_sql_release(told, demo, folder):
    """Fetches the four parts of the SQL question's release into a folder."""
    request = sql_request(demo)
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in PARTS.items():
        (folder / name).write_bytes(get(told, f"/releases/{request}/{part}"))


def main():
    path = pathlib.Path(sys.argv[1])
    fetch_sql_release(json.loads(path.read_text()), path.parent, pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    main()
