"""A scan that leaves out a sector: what is proposed closes it.

usage: extended.py SCANNER FOLDER
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pycolmap
from reconstruct import CONFIG, check, known_poses, parts

WIDTH, HEIGHT, PITCH = 1280, 960, 0.0045
# Of 360 degrees, nothing from 240 on.
ANGLES = range(0, 240, 20)
# A part of the surface is reconstructed if a point of the cloud is as near, in mm.
NEAR = 2.0


def surface():
    """Points spread over the owl's true surface, but for what is inside of another part, or looks down at the table."""
    random = np.random.default_rng(1)
    found = []
    for centre, to_sphere in parts():
        directions = random.normal(size=(1500, 3))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        points = directions @ np.linalg.inv(to_sphere).T + centre
        outside = np.ones(len(points), bool)
        for other, to_other in parts():
            if other is not centre:
                outside &= np.linalg.norm((points - other) @ to_other.T, axis=1) > 0.999
        normals = directions @ to_sphere
        outside &= normals[:, 2] / np.linalg.norm(normals, axis=1) > -0.5
        found.append(points[outside & (points[:, 2] > 3)])
    return np.concatenate(found)


def complete(model, surface):
    """The part of the surface that the cloud has."""
    cloud = np.array([point.xyz for point in model.points3D.values() if point.track.length() >= 3 and point.error <= 1])
    nearest = np.array([np.linalg.norm(cloud - point, axis=1).min() for point in surface])
    return (nearest <= NEAR).mean(), len(cloud)


def main():
    pycolmap.logging.minloglevel = 2
    scanner, work = Path(sys.argv[1]), Path(sys.argv[2])
    (work / "points.csv").write_text("turntable,lift\n" + "".join(f"{angle},{lift}\n" for lift in (0, 50) for angle in ANGLES))
    file = work / "extended.toml"
    config = CONFIG.format(width=WIDTH, height=HEIGHT, pitch=PITCH * 1000, angles=1)
    config = config[: config.index("[plan.rings]")] + '[plan.sector]\nshape = "list"\nfile = "points.csv"\n'
    file.write_text(config)
    run = lambda *args, **more: subprocess.run(
        [scanner, "--config", file, "--log", "error", *args], capture_output=True, text=True, env=os.environ | more
    )

    def done(what, *args, **more):
        ended = run(*args, **more)
        check(what, ended.returncode == 0, ended.stderr[-2000:] if ended.returncode else "")
        return ended.stdout

    done("the empty rig is scanned", "reference", SCANNER_SIM_EMPTY="1")
    done("a scan of two thirds of the way around is complete", "scan", "--id", "sector")
    before = json.loads(done("it has a model", "dataset", "hull", "sector", "--json"))
    proposal = json.loads(done("points are proposed", "dataset", "propose", "sector", "--json"))
    angles = [float(str(point["pose"]["turntable"]).split()[0]) for point in proposal["points"]]
    within = sum(angle > 220 for angle in angles)
    check("most of them are in the sector that was left out", within > len(angles) / 2 > 1, f"{within} of {len(angles)}")
    truth = surface()

    def reconstructed(name):
        folder = work / name
        folder.mkdir()
        out = json.loads(done(f"it is exported, {name}", "dataset", "export", "sector", "--to", "colmap", "--no-masks", "--out", str(folder / "export"), "--json"))
        model, _ = known_poses(Path(out["folder"]), folder)
        return complete(model, truth)

    part, points = reconstructed("before")
    done("the points are added", "extend", "sector", "--proposed")
    done("the scan goes on, and is complete", "resume", "sector")
    done("it is sound", "dataset", "verify", "sector")
    after = json.loads(done("its model is made anew", "dataset", "hull", "sector", "--json"))
    numbers = f"{before['well_covered_percent']} % before, {after['well_covered_percent']} % after, {proposal['expected_percent']} % were expected"
    check("more of the surface is well covered", after["well_covered_percent"] >= max(before["well_covered_percent"] + 5, proposal["expected_percent"] - 1), numbers)
    more_part, more_points = reconstructed("after")
    numbers = f"{part:.1%} of it with {points} points before, {more_part:.1%} with {more_points} after"
    check("pycolmap reconstructs more of the surface", more_part >= part + 0.1, numbers)


main()
