"""A scan of the simulated rig goes through the workshop: two workers with pycolmap, of which the one that has it is killed in the middle.

usage: workshop.py SCANNER FOLDER; scanner-fleet is beside SCANNER, and nats-server in PATH
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from reconstruct import CONFIG, check, distances

WIDTH, HEIGHT, ANGLES = 640, 480, 12
COMMAND = Path(__file__).parent / "workshop_command.py"

scanner, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
fleet = scanner.with_name("scanner-fleet")
nats = shutil.which("nats-server", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
running = []


def wait_for(what, holds, seconds=600):
    until = time.monotonic() + seconds
    while not (value := holds()):
        if time.monotonic() > until:
            check(f"waited for {what}", False)
        time.sleep(0.2)
    return value


def start(log, *args, **more):
    process = subprocess.Popen(args, stdout=log.open("a"), stderr=subprocess.STDOUT, cwd=work, **more)
    running.append(process)
    return process


def run(*args):
    done = subprocess.run(args, capture_output=True, text=True, cwd=work)
    check(" ".join(str(arg) for arg in args[1:3]), done.returncode == 0, done.stderr[-2000:] if done.returncode else "")
    return done.stdout


def worker(name, address, begun):
    log, config = work / f"{name}.log", work / f"{name}.toml"
    command = json.dumps([sys.executable, str(COMMAND), str(scanner)])
    config.write_text(
        f'name = "{name}"\nbroker = "{address}"\nkey = "{name}.nk"\nscratch = "{name}-scratch"\ncommand = {command}\n'
    )
    process = start(log, fleet, "work", "--config", config, env=os.environ | {"BEGUN": str(begun), "WORKER": name})
    key = wait_for(f"the key of {name}", lambda: re.search(r'key="(U[A-Z0-9]+)"', log.read_text()))
    run(fleet, "accept", "--worker", "--folder", work / "fleet", "--pid", work / "nats.pid", name, key[1])
    return process


def main():
    config = work / "scanner.toml"
    config.write_text(CONFIG.format(width=WIDTH, height=HEIGHT, pitch=4.2 * 1536 / WIDTH, angles=ANGLES))
    run(scanner, "--config", config, "scan")
    scan = next((work / "scans").glob("2*"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"nats://127.0.0.1:{port}"
    run(fleet, "init", "--folder", work / "fleet", "--listen", f"127.0.0.1:{port}", "--workshop", work / "store")
    start(work / "nats.log", nats, "--config", work / "fleet/nats-server.conf", "--pid", work / "nats.pid")
    at = ["--broker", address, "--key", work / "fleet/workshop.nk"]

    def is_there():
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    wait_for("the broker", is_there)
    said = run(fleet, "offer", scan, *at, "--ack-wait", "3")
    check("the scan is offered", "is in the queue" in said, said.strip())
    begun = work / "begun"
    workers = {name: worker(name, address, begun) for name in ("one", "other")}
    first = wait_for("a worker to begin", lambda: begun.exists() and begun.read_text().split())[0]
    # In the middle of it: features are being found.
    wait_for("features", lambda: list(work.glob(f"{first}-scratch/scanner-jobs/*/work/known.db")))
    workers[first].send_signal(signal.SIGKILL)

    def job():
        jobs = json.loads(subprocess.run([fleet, "jobs", "--json", *at], capture_output=True, text=True, check=True).stdout)
        if len(jobs) != 1:
            check("there is one job", False, jobs)
        return jobs[0]["record"]

    def ended():
        record = job()
        return record if record["state"]["is"] in ("done", "failed") else None

    record = wait_for("the end of the job", ended)
    state = record["state"]
    check("the other worker has done what the killed one had", state.get("worker") not in (None, first), json.dumps(record)[:1500])
    check("it was taken twice, and failed never", begun.read_text().split()[0] == first and record["lost"] == 1 and not record["failures"])
    run(fleet, "fetch-results", "--scans", work / "scans", *at)
    results = list((scan / "workshop").iterdir())
    names = sorted(file.name for file in results[0].iterdir())
    check("there is one result", len(results) == 1 and names == ["job.json", "log.txt", "model.ply", "picture.jpg"], names)
    points = ply(results[0] / "model.ply")
    away = distances(points)
    near = (away <= 1).mean()
    check("of its points, 80 % lie within 1 mm of the surface", len(points) > 300 and near >= 0.8, f"{near:.1%} of {len(points)} points, median {np.median(away):.3f} mm")
    done = subprocess.run([scanner, "--config", config, "dataset", "verify", scan.name], capture_output=True, text=True)
    check("the dataset is sound with its results", done.returncode == 0, done.stdout[-500:])


def ply(path):
    """The points of COLMAP's binary PLY: x, y, z as floats, and colours behind."""
    head, _, body = path.read_bytes().partition(b"end_header\n")
    count = int(re.search(rb"element vertex (\d+)", head)[1])
    kinds = {b"float": "<f4", b"uchar": "u1"}
    vertex = head[head.index(b"element vertex") :].split(b"element face")[0]
    fields = [(name.decode(), kinds[kind]) for kind, name in re.findall(rb"property (\w+) (\w+)", vertex)]
    vertices = np.frombuffer(body, np.dtype(fields), count)
    return np.stack([vertices[axis] for axis in "xyz"], axis=1).astype(float)


try:
    if nats is None:
        print("SKIPPED: the workshop is not tested, since nats-server is missing (Debian: nats-server)")
        sys.exit(0)
    main()
finally:
    for process in running:
        process.kill()
        process.wait()
