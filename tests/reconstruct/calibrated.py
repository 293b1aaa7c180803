"""A simulated rig that is not as it is configured measures itself, and what it scans then is reconstructed.

usage: calibrated.py SCANNER FOLDER
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pycolmap
from reconstruct import RIG, check, cloud_is_near, distances, known_poses

WIDTH, HEIGHT, PITCH, ANGLES = 1280, 960, 0.0045, 18
FOCAL = 4.74 / PITCH
# How the rig was truly built: a lens of another focal length that bends lines, cameras 8 mm off and turned, a leaning axis, a
# lift that neither goes along it nor as far as it says.
TILT = (0.8, 0.6)
LIFT = (0.008, -0.005, 1.006)
CAMERAS = {
    "low": {
        "mount": {"distance": 300, "height": 60, "azimuth": 0, "look_at_height": 50},
        "focal_length": 1.03,
        "distortion": {"k1": -0.06, "k2": 0.02, "p1": 0.0005, "p2": -0.0004},
        "shift": (5.0, -4.0, 4.6),
        "turn": (0.4, -0.6, 0.5),
    },
    "high": {
        "mount": {"distance": 280, "height": 170, "azimuth": 12, "look_at_height": 45},
        "focal_length": 0.985,
        "distortion": {"k1": 0.04, "k2": 0.0, "p1": 0.0, "p2": 0.0},
        "shift": (-6.0, 2.0, 4.9),
        "turn": (-0.3, 0.2, -0.4),
    },
}


def config():
    text = RIG + """
[motion.lift]
speed = "60 mm/s"
acceleration = "120 mm/s2"
travel = ["0 mm", "100 mm"]
[plan.rings]
shape = "cylinder"
angles = %d
heights = ["0 mm", "50 mm"]
""" % ANGLES
    for number, (name, camera) in enumerate(CAMERAS.items()):
        mount = camera["mount"]
        bent = ", ".join(f"{key} = {value}" for key, value in camera["distortion"].items())
        text += f"""
[[camera]]
name = "{name}"
driver = "scanner-sim"
id = "{number}"
width = {WIDTH}
height = {HEIGHT}
focal_length = "4.74 mm"
pixel_pitch = "{PITCH * 1000} um"
[camera.mount]
distance = "{mount['distance']} mm"
height = "{mount['height']} mm"
azimuth = "{mount['azimuth']} deg"
look_at_height = "{mount['look_at_height']} mm"
[camera.options]
seed = {number}
marks = true
samples = 2
[camera.options.built]
focal_length = {camera['focal_length']}
distortion = {{ {bent} }}
shift = {list(camera['shift'])}
turn = {list(camera['turn'])}
axis_tilt = {list(TILT)}
lift = {list(LIFT)}
"""
    return text


def about(axis, degrees):
    """The rotation about an axis of length 1 (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = math.radians(degrees)
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def truth(camera):
    """Rotation (rows: right, down, forward) and centre in the rig's true frame, whose z is the turntable's axis."""
    mount = camera["mount"]
    above = mount["height"] - mount["look_at_height"]
    elevation = math.atan2(above, mount["distance"])
    around = about((0, 0, 1), mount["azimuth"])
    forward = around @ [-math.cos(elevation), 0, -math.sin(elevation)]
    right = around @ [0, 1, 0]
    down = np.cross(forward, right)
    rotation = np.array([right, down, forward])
    for axis, degrees in enumerate(camera["turn"]):
        rotation = rotation @ about(rotation[axis], degrees).T
    centre = around @ [mount["distance"], 0, mount["height"]] + np.array(camera["shift"])
    tilt = about((0, 1, 0), -TILT[1]) @ about((1, 0, 0), -TILT[0])
    return rotation @ tilt.T, tilt @ centre


def degrees_between(a, b):
    return math.degrees(math.acos(min(1.0, float(np.dot(a, b)))))


def main():
    pycolmap.logging.minloglevel = 2
    scanner, work = Path(sys.argv[1]), Path(sys.argv[2])
    file = work / "calibrated.toml"
    file.write_text(config())
    run = lambda *args, **more: subprocess.run(
        [scanner, "--config", file, "--log", "error", *args], capture_output=True, text=True, env=os.environ | more
    )
    done = run("calibrate", "--json", SCANNER_SIM_BOARD="1")
    check("the rig measures itself", done.returncode == 0, done.stderr[-2000:] if done.returncode else "")
    found = json.loads(done.stdout)
    print(f"measured: {found['used']} corners fit to {found['rms_px']:.2f} px, {found['dropped']} left out")
    # The first camera's azimuth stays as it is configured: the true frame is turned by this.
    first = CAMERAS["low"]
    _, centre = truth(first)
    turned = about((0, 0, 1), first["mount"]["azimuth"] - math.degrees(math.atan2(centre[1], centre[0])))
    for camera in found["cameras"]:
        name, built = camera["name"], CAMERAS[camera["name"]]
        rotation, centre = truth(built)
        rotation, centre = rotation @ turned.T, turned @ centre
        extrinsics, lens = camera["extrinsics"], camera["lenses"][0]
        ours, place = np.array(extrinsics["rotation"]), np.array(extrinsics["centre"])
        off = lens["intrinsics"]["fx"] / (FOCAL * built["focal_length"]) - 1
        check(f"the focal length of {name} is found within 0.1 %", abs(off) < 0.001, f"{off:+.4%}, stated deviation {lens['deviations'][0] / lens['intrinsics']['fx']:.4%}")
        check(f"{name} is found within 0.2 mm", np.linalg.norm(place - centre) < 0.2, f"{np.linalg.norm(place - centre):.3f} mm, stated deviation {np.linalg.norm(camera['deviations']['centre_mm']):.3f} mm")
        # As the camera sees it: where it points, and how far it passes beside where it is.
        axis, true_axis = ours @ [0, 0, 1], rotation @ [0, 0, 1]
        check(f"the axis is found within 0.05 degrees by {name}", degrees_between(axis, true_axis) < 0.05, f"{degrees_between(axis, true_axis):.4f} degrees")
        gap = ours @ -place - rotation @ -centre
        beside = np.linalg.norm(gap - np.dot(gap, true_axis) * true_axis)
        check(f"and within 0.1 mm", beside < 0.1, f"{beside:.4f} mm")
    lift = np.array(found["rig"]["lift"])
    true_lift = turned @ about((0, 1, 0), -TILT[1]) @ about((1, 0, 0), -TILT[0]) @ np.array(LIFT)
    check("the lift is found within 0.1 %", np.linalg.norm(lift - true_lift) < 0.001, f"{np.linalg.norm(lift - true_lift):.5f} mm per mm")

    done = run("scan", "--id", "measured")
    check("a scan by the measured rig is complete", done.returncode == 0, done.stderr[-2000:] if done.returncode else "")
    done = run("dataset", "export", "measured", "--to", "colmap", "--no-masks", "--json")
    check("it is exported", done.returncode == 0, done.stderr)
    cloud, _ = known_poses(Path(json.loads(done.stdout)["folder"]), work, "OPENCV")
    # The object stands in the true frame.
    for point in cloud.points3D.values():
        point.xyz = turned.T @ point.xyz
    cloud_is_near("by the measured rig", cloud)

    done = run("calibration", "--take-back")
    check("the calibration is taken back", done.returncode == 0, done.stderr)
    done = run("scan", "--id", "configured")
    check("a scan by the rig as configured is complete", done.returncode == 0, done.stderr[-2000:] if done.returncode else "")
    done = run("dataset", "export", "configured", "--to", "colmap", "--no-masks", "--json")
    blind = work / "blind"
    blind.mkdir()
    cloud, _ = known_poses(Path(json.loads(done.stdout)["folder"]), blind)
    kept = [point.xyz for point in cloud.points3D.values() if point.track.length() >= 3 and point.error <= 1]
    near = (distances(np.array(kept) @ turned) <= 0.5).mean() if kept else 0.0
    check("as configured, it would not be", near < 0.5, f"{near:.1%} of {len(kept)} points")


main()
