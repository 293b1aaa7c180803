#!/usr/bin/env python3
"""Writes the whole paths of the images into scene.sfm, as Meshroom wants them: run it once where this was unpacked."""
import json
import pathlib

here = pathlib.Path(__file__).resolve().parent
scene = here / "scene.sfm"
document = json.loads(scene.read_text(encoding="utf-8"))
for view in document["views"]:
    view["path"] = str(here / "images" / pathlib.PurePath(view["path"]).name)
scene.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
