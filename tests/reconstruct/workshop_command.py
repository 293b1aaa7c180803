"""The command of the test's workers: a dataset is exported, and reconstructed by pycolmap with the poses that the export says.

usage: workshop_command.py SCANNER; the folders are in SCANNER_DATASET and SCANNER_OUT
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pycolmap

from reconstruct import known_poses

scanner, dataset, out = sys.argv[1], Path(os.environ["SCANNER_DATASET"]), Path(os.environ["SCANNER_OUT"])
# Where it is killed, somebody has to know that it has begun.
with open(os.environ["BEGUN"], "a") as begun:
    begun.write(f"{os.environ['WORKER']}\n")
work = Path.cwd()
export = work / "export"
subprocess.run([scanner, "dataset", "export", dataset, "--to", "colmap", "--out", export], check=True)
model, _ = known_poses(export, work)
model.export_PLY(out / "model.ply")

# A picture of its points, from the front.
points = np.array([point.xyz for point in model.points3D.values()])
colours = np.array([point.color for point in model.points3D.values()], np.uint8)
picture = np.full((400, 400, 3), 255, np.uint8)
column, row = (200 + 3 * points[:, 1]).astype(int), (380 - 3 * points[:, 2]).astype(int)
inside = (column >= 0) & (column < 400) & (row >= 0) & (row < 400)
picture[row[inside], column[inside]] = colours[inside]
pycolmap.Bitmap.from_array(picture).write(out / "picture.jpg")
print(f"{len(points)} points")
