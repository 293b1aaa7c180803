#!/usr/bin/env python3
"""Compares scanner-marks with OpenCV, on the same pictures.

The pictures are of a simulated rig, whose lenses are known; a board is in them, and a ring of marks.

    python3 -m venv /tmp/marks && /tmp/marks/bin/pip install opencv-contrib-python-headless
    cargo run -p scanner-marks --example views -- /tmp/marks/views 2 24
    cargo run -p scanner-marks --example found -- /tmp/marks/views
    cargo build -p scanner-marks
    /tmp/marks/bin/python tests/marks/opencv.py /tmp/marks/views target/debug/scanner-marks

Says how far both are from the truth and from each other, and exits with 1 if they disagree:
- a corner that both find is in two places, as far as OpenCV's own errors go;
- OpenCV finds a board where scanner-marks finds less than half of it;
- cv2.calibrateCamera finds another lens than the solver, by more than 3 standard deviations.
"""

import json
import math
import pathlib
import subprocess
import sys

import cv2
import numpy as np

folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
truth = json.loads((folder / "truth.json").read_text())
found = json.loads((folder / "found.json").read_text())
lenses = json.loads((folder / "lenses.json").read_text())

spec = truth["board"]
dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
board = cv2.aruco.CharucoBoard((spec["columns"], spec["rows"]), spec["square_mm"], spec["marker_mm"], dictionary)
charuco = cv2.aruco.CharucoDetector(board)
parameters = cv2.aruco.DetectorParameters()
parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_APRILTAG
single = cv2.aruco.ArucoDetector(dictionary, parameters)

# OpenCV has the centre of the first pixel at 0; but what CORNER_REFINE_APRILTAG answers counts from the pixel's edge, as here.
HALF = 0.5


def by_opencv(picture):
    """The corners that OpenCV finds, by target, id and corner."""
    corners = {}
    places, ids, _, _ = charuco.detectBoard(picture)
    if ids is not None:
        for place, id in zip(places.reshape(-1, 2), ids.flatten()):
            corners["board", int(id), 0] = place + HALF
    marks, ids, _ = single.detectMarkers(picture)
    for mark, id in zip(marks, [] if ids is None else ids.flatten()):
        for corner, place in enumerate(mark.reshape(-1, 2)):
            if id >= 100:
                corners["ring", int(id), corner] = place
    return corners


def as_map(corners):
    return {(c["target"], c["id"], c.get("corner", 0)): np.array([c["x"], c["y"]]) for c in corners}


def spread(offs):
    offs = np.array(offs).reshape(-1, 2)
    if len(offs) == 0:
        return "none"
    lengths = np.hypot(offs[:, 0], offs[:, 1])
    mean = offs.mean(axis=0)
    return (
        f"{len(offs)} corners, rms {math.sqrt((offs**2).mean()):.4f} px in x and y, median {np.median(lengths):.4f}, "
        f"90 % {np.quantile(lengths, 0.9):.4f}, mean {mean[0]:+.4f} {mean[1]:+.4f}"
    )


faults = []
offs = {(target, who): [] for target in ("board", "ring") for who in ("ours", "OpenCV's", "between")}
counts = {(target, who): 0 for target in ("board", "ring") for who in ("ours", "OpenCV's")}
for index, (view, seen) in enumerate(zip(truth["views"], found["views"])):
    picture = cv2.imread(str(folder / f"{index:03}.png"), cv2.IMREAD_GRAYSCALE)
    theirs, ours, known = by_opencv(picture), as_map(seen["corners"]), as_map(view["corners"])
    for key, place in ours.items():
        counts[key[0], "ours"] += 1
        if key in known:
            offs[key[0], "ours"].append(place - known[key])
        if key in theirs:
            offs[key[0], "between"].append(place - theirs[key])
    for key, place in theirs.items():
        counts[key[0], "OpenCV's"] += 1
        if key in known:
            offs[key[0], "OpenCV's"].append(place - known[key])
    of_board = [sum(key[0] == "board" for key in corners) for corners in (ours, theirs)]
    if of_board[0] < of_board[1] / 2:
        faults.append(f"picture {index}: OpenCV finds {of_board[1]} corners of the board, scanner-marks {of_board[0]}")

for target in ("board", "ring"):
    ours, theirs = counts[target, "ours"], counts[target, "OpenCV's"]
    print(f"{target}: scanner-marks finds {ours} corners, OpenCV {theirs}")
    for who, name in (("ours", "scanner-marks to truth"), ("OpenCV's", "OpenCV to truth"), ("between", "between them")):
        print(f"  {name}: {spread(offs[target, who])}")
    apart = np.array(offs[target, "between"]).reshape(-1, 2)
    if np.median(np.hypot(apart[:, 0], apart[:, 1])) > 0.15 or np.abs(apart.mean(axis=0)).max() > 0.05:
        faults.append(f"{target}: corners are in two places")

# The lenses: the solver with all that it knows, OpenCV with the corners of the board that the solver had.
answer = json.loads(
    subprocess.run([program, "serve"], input=json.dumps({"solve": found}) + "\n", capture_output=True, text=True, check=True).stdout
)
if "error" in answer:
    sys.exit(answer["error"])
print(f"the solver: rms {answer['rms_px']:.4f} px, {answer['used']} corners used, {answer['dropped']} dropped")
names = ["fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"]
for camera, lens in zip(answer["cameras"], lenses):
    objects, images = [], []
    for view in found["views"]:
        corners = [c for c in view["corners"] if c["target"] == "board"]
        if view["camera"] == camera["name"] and len(corners) >= 12:
            ids = [c["id"] for c in corners]
            objects.append(board.getChessboardCorners()[ids].astype(np.float32))
            images.append(np.array([[c["x"] - HALF, c["y"] - HALF] for c in corners], np.float32))
    asked = next(c for c in found["cameras"] if c["name"] == camera["name"])
    size = (asked["width"], asked["height"])
    rms, matrix, distortion, _, _, deviations, _, _ = cv2.calibrateCameraExtended(
        objects, images, size, None, None, flags=cv2.CALIB_FIX_K3
    )
    theirs = [matrix[0, 0], matrix[1, 1], matrix[0, 2] + HALF, matrix[1, 2] + HALF, *distortion.flatten()[:4]]
    of_theirs = deviations.flatten()[:8]
    solved = camera["lenses"][0]
    print(f"{camera['name']}: OpenCV has {len(objects)} boards, rms {rms:.4f} px")
    for number, name in enumerate(names):
        ours, of_ours = solved["lens"][name], solved["deviation"][name]
        both = math.hypot(of_ours, of_theirs[number])
        sigmas = abs(ours - theirs[number]) / both
        print(
            f"  {name}: {ours:12.5f} ± {of_ours:.5f}, OpenCV {theirs[number]:12.5f} ± {of_theirs[number]:.5f}: "
            f"{sigmas:.2f} deviations apart; truth {lens[name]:12.5f} ({abs(ours - lens[name]) / of_ours:.2f}, "
            f"{abs(theirs[number] - lens[name]) / of_theirs[number]:.2f})"
        )
        if sigmas > 3:
            faults.append(f"{camera['name']}: {name} is {sigmas:.1f} standard deviations from OpenCV's")

for fault in faults:
    print("FAULT", fault)
sys.exit(bool(faults))
