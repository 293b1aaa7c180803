#!/usr/bin/env python3
"""Writes the positions of reference.txt into database.db as priors of poses, in millimetres.

usage: priors.py [DEVIATION]     how far a position may be off, as a standard deviation in mm; 0.5 if absent

After feature_extractor, and before `colmap pose_prior_mapper`, which then finds poses and lenses by itself, in the rig's place
and in millimetres. COLMAP keeps priors since 3.11, and has moved them from table to table since.
"""

import sqlite3
import struct
import sys
from pathlib import Path

CARTESIAN = 1
CAMERA = 0

here = Path(__file__).resolve().parent
deviation = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
database = sqlite3.connect(here / "database.db")
columns = {row[1] for row in database.execute("PRAGMA table_info(pose_priors)")}
if not columns:
    raise SystemExit("this COLMAP is older than 3.11 and has no priors: use model_aligner with reference.txt")
images = {name: (image, camera) for image, name, camera in database.execute("SELECT image_id, name, camera_id FROM images")}

with database:
    database.execute("DELETE FROM pose_priors")
    for number, line in enumerate((here / "reference.txt").read_text().splitlines(), 1):
        name, *position = line.rsplit(" ", 3)
        if name not in images:
            raise SystemExit(f"{name} is not in database.db: run feature_extractor on all images first")
        image, camera = images[name]
        variance = deviation**2
        values = {
            "image_id": image,
            "pose_prior_id": number,
            "corr_data_id": image,
            "corr_sensor_id": camera,
            "corr_sensor_type": CAMERA,
            "position": struct.pack("<3d", *map(float, position)),
            "position_covariance": struct.pack("<9d", variance, 0, 0, 0, variance, 0, 0, 0, variance),
            "gravity": struct.pack("<3d", *[float("nan")] * 3),
            "coordinate_system": CARTESIAN,
        }
        values = {column: value for column, value in values.items() if column in columns}
        question_marks = ", ".join("?" * len(values))
        database.execute(f"INSERT INTO pose_priors ({', '.join(values)}) VALUES ({question_marks})", list(values.values()))
