"""A scan of the simulated rig with raw images, which others look at and develop.

usage: raw.py SCANNER FOLDER
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import rawpy

WIDTH, HEIGHT, ANGLES = 1280, 960, 4
CONFIG = """
[storage]
directory = "scans"
runtime_directory = "run"
state_directory = "state"
keep_free = "1 MB"
jpeg_quality = 100
[motion]
backend = "sim"
time_scale = 50.0
[motion.turntable]
speed = "60 deg/s"
acceleration = "120 deg/s2"
[[camera]]
name = "packed"
driver = "scanner-sim"
id = "0"
width = {width}
height = {height}
focal_length = "4.74 mm"
pixel_pitch = "4.5 um"
raw = "beside"
[camera.mount]
distance = "300 mm"
height = "60 mm"
look_at_height = "50 mm"
[camera.options]
raw_bits = 10
raw_order = "bggr"
seen = "{seen}/packed"
[[camera]]
name = "words"
driver = "scanner-sim"
id = "1"
width = {width}
height = {height}
focal_length = "4.74 mm"
pixel_pitch = "4.5 um"
raw = "beside"
[camera.mount]
distance = "280 mm"
height = "170 mm"
look_at_height = "45 mm"
[camera.options]
raw_bits = 16
raw_packing = "words"
raw_order = "grbg"
seen = "{seen}/words"
[plan.ring]
shape = "ring"
angles = {angles}
"""
# Of 255, in the mean over all pixels and colours: noise, and edges that a sensor of one colour a pixel cannot see.
MOST_ERROR = 4.0
# And of a colour in the mean over a whole image, which has neither: brighter, or more of one colour.
MOST_CAST = 0.1


def check(what, holds, numbers=""):
    print(f"{'ok' if holds else 'FAILED'}: {what}{': ' if numbers else ''}{numbers}", flush=True)
    if not holds:
        sys.exit(1)


def said(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def pixmap(path):
    """Of a PPM, without comments."""
    head, size, _, pixels = path.read_bytes().split(b"\n", 3)
    assert head == b"P6"
    width, height = map(int, size.split())
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def linear(values):
    values = values / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(light):
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def developed(dng):
    """Linear sRGB, 0 to 1, by LibRaw: with the camera's own white and matrix, and no brightening, nor a white level as low as
    the brightest sample."""
    with rawpy.imread(str(dng)) as raw:
        shape = raw.raw_image_visible.shape
        picture = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            gamma=(1, 1),
            output_bps=16,
            output_color=rawpy.ColorSpace.sRGB,
            user_flip=0,
        )
        return picture / 65535, shape, raw.white_level, list(raw.black_level_per_channel)


def nobody_complains(dng):
    found = said("exiftool", "-validate", "-warning", "-error", "-a", "-s3", dng)
    check(f"exiftool has no warning of {dng.name}", found.stdout.split() == ["OK"], found.stdout.strip())
    found = said("exiv2", "-pa", dng)
    check(f"exiv2 has no warning of {dng.name}", found.returncode == 0 and found.stderr == "", found.stderr.strip())


def is_as_the_image_says(dng, image):
    tags = ["Make", "Model", "ExposureTime", "ISO", "DateTimeOriginal", "OffsetTimeOriginal", "ImageUniqueID", "SerialNumber", "FocalLength", "LensModel", "SubjectDistance"]
    read = lambda file: json.loads(said("exiftool", "-json", *[f"-{tag}" for tag in tags], file).stdout)[0]
    ours, theirs = read(dng), read(image)
    differ = [tag for tag in tags if ours.get(tag) != theirs.get(tag)]
    check(f"{dng.name} says what {image.name} says", not differ and len(theirs) > 9, differ)
    preview = subprocess.run(["exiftool", "-b", "-PreviewImage", dng], capture_output=True).stdout
    check(f"{dng.name} has a preview", preview[:2] == b"\xff\xd8" and preview[-2:] == b"\xff\xd9", f"{len(preview)} bytes")


def main():
    scanner, work = Path(sys.argv[1]), Path(sys.argv[2])
    seen = work / "seen"
    for name in ("packed", "words"):
        (seen / name).mkdir(parents=True)
    config = work / "raw.toml"
    config.write_text(CONFIG.format(width=WIDTH, height=HEIGHT, angles=ANGLES, seen=seen))
    done = said(scanner, "--config", config, "scan")
    check("a scan with raw images is complete", done.returncode == 0, done.stderr[-2000:] if done.returncode else "")
    scan = next((work / "scans").glob("2*"))
    done = said(scanner, "--config", config, "dataset", "verify", scan.name)
    check("it is sound", done.returncode == 0, done.stdout.strip())
    plan = json.loads((scan / "plan.json").read_text())
    cameras = [camera["name"] for camera in plan["cameras"]]
    errors, casts = [], []
    for number, point in enumerate(plan["points"]):
        for index, name in enumerate(cameras):
            shot = number * len(cameras) + index
            image = scan / "images" / name / f"{point['label']}.jpg"
            dng = scan / "raw" / name / f"{point['label']}.dng"
            nobody_complains(dng)
            is_as_the_image_says(dng, image)
            light, shape, white, black = developed(dng)
            bits = 10 if name == "packed" else 16
            levels = (white, set(black)) == (2**bits - 1, {2**bits // 16})
            check(f"LibRaw takes {dng.name} for what it is", shape == (HEIGHT, WIDTH) and levels, f"{shape}, {black} to {white}")
            truth = linear(pixmap(seen / name / f"{shot}.ppm").astype(float))
            errors.append(abs(encoded(light) - encoded(truth)).mean())
            casts.append(encoded(light.mean(axis=(0, 1))) - encoded(truth.mean(axis=(0, 1))))
    errors, casts = np.array(errors), np.array(casts)
    check(
        f"developed by LibRaw {rawpy.libraw_version}, a pixel is what the sensor saw",
        len(errors) == 2 * ANGLES and errors.max() < MOST_ERROR,
        f"mean error {errors.mean():.2f} of 255, of the worst image {errors.max():.2f}",
    )
    shown = ", ".join(f"{name} {cast:+.3f}" for name, cast in zip(("red", "green", "blue"), casts.mean(axis=0)))
    check("and nothing is brighter, or of another colour", abs(casts).max() < MOST_CAST, f"in the mean {shown}, worst {abs(casts).max():.3f} of 255")


main()
