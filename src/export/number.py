#!/usr/bin/env python3
"""Gives the cameras and images of sparse/0 the numbers that they have in database.db, and writes the model to known/.

COLMAP numbers images as its threads come to read them, and wants the same numbers in a model with known poses.
"""

import sqlite3
from pathlib import Path

here = Path(__file__).resolve().parent
database = sqlite3.connect(here / "database.db")
images = {name: (image, camera) for image, name, camera in database.execute("SELECT image_id, name, camera_id FROM images")}
known = here / "known"
known.mkdir(exist_ok=True)

cameras = {}
lines = []
for line in (here / "sparse/0/images.txt").read_text().splitlines():
    parts = line.split(" ", 9)
    if len(parts) == 10:
        *_, camera, name = parts
        if name not in images:
            raise SystemExit(f"{name} is not in database.db: run feature_extractor on all images first")
        number, cameras[camera] = images[name]
        lines.append((number, f"{number} {' '.join(parts[1:8])} {cameras[camera]} {name}\n\n"))
(known / "images.txt").write_text("".join(line for _, line in sorted(lines)))
with open(known / "cameras.txt", "w") as file:
    for line in (here / "sparse/0/cameras.txt").read_text().splitlines():
        camera, rest = line.split(" ", 1)
        if camera in cameras:
            file.write(f"{cameras[camera]} {rest}\n")
(known / "points3D.txt").write_text("")
