#!/usr/bin/env python3
"""Has openapi-python-client make a client of the API's document, without a warning, and calls everything with it that reads.

    api-client.py ADDRESS TOKEN FOLDER     FOLDER is for the client; there is a complete scan, and one of the empty rig before it
"""

import importlib
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

address, token, folder = sys.argv[1:]
here = pathlib.Path(__file__).parent
base = f"http://{address}"
document = json.load(urllib.request.urlopen(f"{base}/api/v1/openapi.json"))
where = pathlib.Path(folder) / "document.json"
where.write_text(json.dumps(document))
made = subprocess.run(
    [pathlib.Path(sys.executable).parent / "openapi-python-client", "generate", "--path", where, "--overwrite"]
    + ["--meta", "none", "--output-path", pathlib.Path(folder) / "scanner_client", "--fail-on-warning"]
    + ["--config", here / "openapi-python-client.yaml"],
    capture_output=True,
    text=True,
)
if made.returncode != 0 or "WARNING" in made.stdout + made.stderr:
    sys.exit(f"the client is not made without a warning:\n{made.stdout}{made.stderr}")

sys.path.insert(0, folder)
client = importlib.import_module("scanner_client").AuthenticatedClient(base_url=base, token=token, timeout=60)


def call(tag, operation, **arguments):
    module = importlib.import_module(f"scanner_client.api.{tag}.{operation}")
    return module.sync_detailed(client=client, **arguments)


# Neither has an end.
ENDLESS = {"stream_events", "stream_events_ws", "stream_live_view_ws", "stream_live_view_mjpeg"}
# What is not asked for by GET, and only reads or tries something.
MORE = {"run_preflight", "verify_scan", "take_test_capture", "take_capture"}

scan = call("scans", "list_scans").parsed.scans[0].id
formats = importlib.import_module("scanner_client.models").ExportFormat
# As what a workshop has made is fetched.
made = pathlib.Path(folder) / "scans" / scan / "workshop" / "owl-1"
made.mkdir(parents=True)
(made / "log.txt").write_text("done")
log = {"name": "log.txt", "subject": "x", "bytes": 4, "crc32c": 1}
state = {"is": "done", "run": "1", "worker": "pc", "took_s": 1, "files": [log]}
(made / "job.json").write_text(json.dumps({"format": 1, "offered_s": 1, "state": state, "failures": []}))
values = {"scan": scan, "shot": 0, "camera": "cam0", "name": "ring", "id": 1, "format": formats.COLMAP, "suffix": "jpg", "number": 1}
values |= {"job": "owl-1", "file": "log.txt"}
nothing = importlib.import_module("scanner_client.models").CaptureRequest()
# Of whose parameters behind the question mark one has to be there.
queries = {"get_setup_picture": {"camera": "scanner-sim:0"}}
bodies = {name: {"body": nothing} for name in ("take_capture", "take_test_capture")}
call("captures", "take_capture", **bodies["take_capture"])
# By the scan of the empty rig that there is.
call("scans", "begin_masks", scan=scan, body=importlib.import_module("scanner_client.models").MaskWish())
for _ in range(300):
    if json.loads(call("rig", "get_status").content)["masks"] is None:
        break
    time.sleep(0.1)
# Which is followed by a model.
for _ in range(300):
    if call("scans", "get_scan_preview", scan=scan).status_code == 200:
        break
    time.sleep(0.1)
# What the answers of a setup make can be seen once all are given.
answer = importlib.import_module("scanner_client.models").SetupAnswer(answer="")
while (asked := json.loads(call("setup", "get_setup").content)["next"]) is not None:
    call("setup", "set_setup_answer", key=asked, body=answer)
walked, wrong = 0, []
for path, item in document["paths"].items():
    for method, operation in item.items():
        name = operation["operationId"]
        if name in ENDLESS or (method != "get" and name not in MORE):
            continue
        # Python has words of its own.
        arguments = {"format_" if name == "format" else name: values[name] for name in re.findall(r"\{(\w+)\}", path)}
        answer = call(operation["tags"][0], name, **arguments, **bodies.get(name, {}), **queries.get(name, {}))
        empty = answer.parsed is None or type(answer.parsed).__name__ == "Problem"
        if answer.status_code != 200 or empty:
            wrong.append(f"{method.upper()} {path}: {answer.status_code} {answer.parsed!r} {answer.content[:200]!r}")
        walked += 1
shots = call("scans", "list_shots", scan=scan).parsed.shots
masks = call("scans", "list_masks", scan=scan).parsed
if len(masks.masks) != len(shots) or not call("plans", "list_references").parsed.plans[0].reference.fits:
    wrong.append(f"masks or the scan of the empty rig are lost: {masks}")
if not shots or not call("cameras", "list_cameras").parsed.cameras or not call("operation", "run_preflight").parsed.findings:
    wrong.append("shots, cameras or findings are lost")
print(f"{walked} operations called with a client that was made of the document")
if wrong or walked < 25:
    sys.exit("\n".join(wrong) or f"only {walked} operations")
