#!/usr/bin/env python3
"""Installs the packages for arm64 on an emulated Raspberry Pi 3, and has it scan with a rig on its GPIO registers.

Buttons are pressed, and pins are read, from outside the emulated machine. usage: run.py PACKAGE..., in the project's folder.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from bench import EMERGENCY_STOP, LIGHT, STEPS_PER_DEGREE, STEPS_PER_MM, TURN_ENABLE, Bench, planned_runs
from emulator import BootFailed, Failed, Gpio, Pi
from service import Service, expect
from usb import plugged_in, scan_on_usb, scan_unplugged

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(".cache/pi").resolve()
TOOLS = pathlib.Path(".cache/tools").resolve()
RUN = [str(pathlib.Path("cross/run").resolve()), str(TOOLS)]
SAID = pathlib.Path("target/pi")
# What is on the card beside the packages, and where.
FILES = {
    "answers.toml": "/root", "camera.toml": "/root", "emulated.toml": "/root", "emulated.conf": "/root",
    "virtual.yaml": "/root", "usb-camera": "/root", "usb.toml": "/root", "dpkg.conf": "/etc/dpkg/dpkg.cfg.d/between",
}
# What answers.toml wants.
POINTS = 6


def ok(what):
    print(f"ok: {what}", flush=True)


def number(quantity):
    """"5 mm" as 5.0."""
    return float(quantity.split()[0])


def prepare(folder, packages):
    """A fresh card with the packages in a folder, and what the rig is told."""
    card = folder / "sd.img"
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", CACHE / "base.img", card], check=True)
    files = {HERE / name: there if there.count("/") > 1 else f"{there}/{name}" for name, there in FILES.items()}
    files |= {package: f"/opt/packages/{package.name}" for package in packages}
    commands = "mkdir /opt/packages\n"
    for source, there in files.items():
        shutil.copy(source, folder / source.name)
        commands += f"write /work/{folder.name}/{source.name} {there}\n"
    environment = {**os.environ, "SCANNER_BIND": str(CACHE)}
    written = subprocess.run(
        [*RUN, "debugfs", "-w", "-f", "/dev/stdin", f"/work/{folder.name}/sd.img"],
        input=commands, text=True, capture_output=True, env=environment,
    )
    expect(written.returncode == 0 and "rror" not in written.stderr, f"the card is not written: {written.stderr}")


def boot(folder, packages):
    """Boots a fresh card; once more if it does not come up."""
    for attempt in (1, 2):
        prepare(folder, packages)
        bench = Bench()
        os.environ["SCANNER_BIND"] = str(CACHE)
        pi = Pi(RUN, folder, folder.name, SAID)
        try:
            gpio = Gpio(folder, bench.changed)
            bench.wire(gpio)
            took, uptime = pi.boot()
            ok(f"booted in {took:.0f} s ({uptime:.0f} s by its own clock), attempt {attempt} of 2")
            return pi, gpio, bench
        except BaseException as error:
            pi.end()
            if attempt == 2 or not isinstance(error, BootFailed):
                raise
            print(f"does not boot, is tried once more: {error}", flush=True)


def install(pi):
    """All packages, by apt, from a folder."""
    expect(pi.run("dpkg --print-architecture", shown=True) == "arm64", "this is no arm64")
    pi.run("tr '\\0' '\\n' < /sys/firmware/devicetree/base/model; grep PRETTY /etc/os-release", shown=True)
    began = time.monotonic()
    output = pi.run("apt-get install --yes /opt/packages/*.deb", shown=True)
    took = time.monotonic() - began
    installed = pi.run("dpkg-query -W -f '${db:Status-Abbrev}${Package} ${Version}\\n' 'scanner*' libcamera0.7 libgphoto2-6t64", shown=True)
    expect(len(re.findall("^ii scanner", installed, re.MULTILINE)) == 3, f"not all is installed: {output}")
    needs = pi.run("dpkg-query -W -f '${Depends}' scanner-libcamera")
    expect("libcamera0.7 (>= 0.7.1)" in needs, f"scanner-libcamera depends on another libcamera: {needs}")
    ok(f"installed by apt-get from a folder in {took:.0f} s: {', '.join(line[3:].strip() for line in installed.splitlines())}")
    pi.run("test -e /run/between && udevadm settle")
    expect(pi.run("stat -c %G /dev/gpiochip0") == "gpio", "the service may not use /dev/gpiochip0")
    expect(pi.run("stat -c '%G %a' /dev/udmabuf") == "video 660", "the service may not have memory of /dev/udmabuf")
    expect(pi.run("systemctl is-active scanner", check=False, shown=True) == "active", f"the service does not run: {output}")
    expect("char-usb_device" in pi.run("systemctl show scanner -p DeviceAllow"), "the service may use no camera on USB")
    entered = "systemctl show scanner --timestamp=unix -p ActiveEnterTimestampMonotonic -p ExecMainStartTimestampMonotonic --value"
    started, active = sorted(int(line) for line in pi.run(entered).split())
    ok(f"scanner.service is active as installed, {(active - started) / 1e6:.1f} s after its start; {pi.run('scanner --version', shown=True)} on {pi.run('uname -m')}")


def setup(pi):
    """The rig is described by a file of answers; of its camera, what the setup found is taken."""
    pi.run("mkdir -p /usr/share/libcamera/pipeline/virtual && cp /root/virtual.yaml /usr/share/libcamera/pipeline/virtual/")
    pi.run("mkdir -p /etc/scanner/scanner.toml.d && cp /root/camera.toml /etc/scanner/scanner.toml.d/10-camera.toml")
    pi.run("systemctl stop scanner", shown=True)
    said = pi.run("scanner setup --answers /root/answers.toml", shown=True)
    expect('driver = "libcamera"\nid = "Virtual0"\n' in said, f"the first camera is not libcamera's: {said}")
    expect(f"{POINTS} points" in said, f"the plan is another one: {said}")
    pi.run("cp /root/emulated.toml /etc/scanner/scanner.toml.d/60-emulated.toml")
    checked = pi.run("scanner check-config", shown=True)
    expect("cameras: cam0" in checked, f"the configuration is another one: {checked}")
    looked = pi.run("scanner devices", shown=True)
    expect("virtual" in looked, f"there is no virtual camera: {looked}")
    ok("scanner setup, answered by a file, finds libcamera's camera and writes a configuration that loads")


def without_registers(pi):
    """As packaged, on Debian's kernel: the registers are out of reach, and the service says so."""
    pi.run("systemctl restart scanner", check=False)
    said = pi.run("journalctl -q --no-pager -u scanner -o cat -n 20")
    expect("there is no /dev/gpiomem" in said, f"the service does not say that there is no /dev/gpiomem: {said}")
    pi.run("systemctl stop scanner; systemctl reset-failed scanner", check=False)
    ok("without /dev/gpiomem the service does not start, and says so")


def start_rig(pi, service):
    pi.run("mkdir -p /etc/systemd/system/scanner.service.d && cp /root/emulated.conf /etc/systemd/system/scanner.service.d/ && systemctl daemon-reload")
    pi.run("chgrp gpio /dev/mem && chmod g+rw /dev/mem")
    pi.run("systemctl start scanner", shown=True)
    expect(pi.run("ps -o user= -p $(systemctl show -p MainPID --value scanner)") == "scanner", "it runs as somebody else")
    service.safe("after the start")
    service.shows("ready", "after the start")
    ok("on the registers, as the user scanner: every output at its safe level, the LED shows ready")


def scan_from_the_button(pi, service):
    bench = service.bench
    lights = bench.changes[LIGHT]
    scan = service.begin()
    service.turning(0)
    expect(service.gpio.level(LIGHT), "the light is off in a scan")
    service.shows("scanning", "in a scan")
    # libcamera's memory for frames, which its driver has open.
    buffers = int(pi.run("ls -l /proc/$(pgrep -f ^/usr/bin/scanner-libcamera)/fd | grep -c /dmabuf:", check=False))
    expect(buffers > 0, "the driver has no frames in dmabufs")
    service.finish(scan)

    plan = json.loads(pi.run(f"cat /var/lib/scanner/scans/{scan}/plan.json"))
    poses = [point["pose"] for point in plan["points"]]
    expect(len(poses) == POINTS, f"the plan has {len(poses)} points")
    turned, lifted = bench.runs()
    wanted = planned_runs([number(pose["turntable"]) * STEPS_PER_DEGREE for pose in poses], 360 * STEPS_PER_DEGREE)
    expect(turned == wanted, f"the turntable has made {turned} steps, the plan wants {wanted}")
    # What comes before is its homing.
    wanted = planned_runs([number(pose["lift"]) * STEPS_PER_MM for pose in poses])
    homing = lifted[:-len(wanted)]
    expect(lifted[-len(wanted):] == wanted, f"the lift has made {lifted} steps, the plan wants {wanted} after homing")
    expect([steps > 0 for steps in homing] == [False, True, False], f"the lift was homed otherwise: {homing}")
    expect(not bench.turntable.unpowered and not bench.lift.unpowered, "steps were made without power")
    expect(bench.changes[LIGHT] > lights, "the light was never switched")
    log = pi.run(f"scanner logs {scan}", shown=True)
    expect(log.count(" stored images") == POINTS and "scan complete" in log, f"the journal has something else: {log}")
    said = pi.run("journalctl -q --no-pager -u scanner -o cat")
    version = re.search(r"libcamera v?0\.7\.[^ \n]*", said)
    expect(version, f"no libcamera 0.7 has said its version: {said}")
    expect(not service.gpio.level(LIGHT), "the light is on after the scan")
    service.shows("ready", "after the scan")
    ok(
        f"start pressed: {scan} is complete, {POINTS} images of {version.group()} verified, from its {buffers} dmabufs; "
        f"counted outside: steps of the turntable {turned} and the lift {wanted}, as planned, after a homing of {homing}; LED scanning, then ready"
    )
    # Late steps make moves longer than planned, and that is no failure of the camera.
    expect("failed" not in log and "recover" not in log, f"attempts have failed: {log}")


def emergency_stop(pi, service):
    bench, gpio = service.bench, service.gpio
    before = bench.pulses()[0]
    scan = service.begin()
    service.turning(before)
    pi.note("the emergency stop is pressed, in mid-move")
    gpio.drive(EMERGENCY_STOP, True)
    pi.wait_until("the motors' release", lambda: gpio.level(TURN_ENABLE))
    service.still(5, "with the emergency stop open")
    pi.wait_until("the pause", lambda: not service.status()["scanning"])
    service.safe("after the emergency stop")
    service.shows("stopped", "after the emergency stop")
    expect(service.verify(scan)["state"] == "paused", f"{scan} is not paused")
    expect("emergency stop" in pi.run("scanner clear", check=False, shown=True), "it is cleared with the contact open")
    pi.note("the emergency stop is pulled out again")
    gpio.drive(EMERGENCY_STOP, False)
    service.still(3, "with the contact closed again")
    service.shows("stopped", "with the contact closed again")
    pi.run("scanner clear", shown=True)
    service.still(3, "after clear")
    service.safe("after clear")
    expect(bench.pattern() != "stopped", "the LED does not show that the fault is cleared")
    ok(f"emergency stop in mid-move: no more steps, outputs safe, {scan} paused; latched until `scanner clear`, which moves nothing")
    refused = pi.run(f"scanner start --resume {scan}", check=False)
    service.still(3, f"before the turntable was put in its place ({refused})")
    # Put to its place by hand.
    bench.turntable.position = 0
    pi.run("scanner home turntable", shown=True)
    pi.run(f"scanner start --resume {scan}", shown=True)
    service.finish(scan)
    ok(f"turntable put in its place, resumed: {scan} is complete")


def killed(pi, service):
    bench, gpio = service.bench, service.gpio
    # What makes it safe is then the unit's ExecStopPost alone, not the next start.
    pi.run("mkdir -p /run/systemd/system/scanner.service.d && printf '[Service]\\nRestart=no\\n' > /run/systemd/system/scanner.service.d/no.conf && systemctl daemon-reload")
    before = bench.pulses()[0]
    scan = service.begin()
    service.turning(before)
    expect(not gpio.level(TURN_ENABLE) and gpio.level(LIGHT), "the rig is not at work")
    pi.run("systemctl kill --kill-whom=main -s KILL scanner", shown=True)
    pi.wait_until("the end", lambda: pi.run("systemctl is-active scanner", check=False) == "failed")
    service.safe("after SIGKILL", led=True)
    service.still(3, "after SIGKILL")
    ok("SIGKILL in mid-move: the unit's safe-state has put every output to its safe level")
    pi.run("rm /run/systemd/system/scanner.service.d/no.conf && systemctl daemon-reload && systemctl reset-failed scanner && systemctl start scanner")
    service.still(3, "after the start, with a turntable that may stand anywhere")
    bench.turntable.position = 0
    pi.run("scanner home turntable", shown=True)
    pi.run(f"scanner start --resume {scan}", shown=True)
    service.finish(scan)
    ok(f"started again, resumed: {scan} is complete")


def stopped(pi, service):
    pi.run("systemctl stop scanner", shown=True)
    service.safe("after systemctl stop", led=True)
    ok("systemctl stop: outputs safe")


def usb_camera(pi):
    """On a real USB stack, with simulated axes: what those on pins do has been seen."""
    plugged_in(pi)
    ok("a gadget on dummy_hcd with the simulated DSLR behind FunctionFS: libgphoto2 finds it on the kernel's USB, as the user scanner by the package's udev rule")
    scan_on_usb(pi)
    ok("a scan of it is complete, and its images are those on the camera's card")
    before = scan_unplugged(pi)
    ok(f"unplugged in mid-scan, after {before} images, and plugged in again: that scan is complete too")


def main():
    packages = [pathlib.Path(package) for package in sys.argv[1:]]
    began = time.monotonic()
    SAID.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run.", dir=CACHE) as folder:
        pi, gpio, bench = boot(pathlib.Path(folder), packages)
        try:
            service = Service(pi, gpio, bench)
            install(pi)
            setup(pi)
            without_registers(pi)
            start_rig(pi, service)
            scan_from_the_button(pi, service)
            emergency_stop(pi, service)
            killed(pi, service)
            stopped(pi, service)
            usb_camera(pi)
            ok(f"in all {time.monotonic() - began:.0f} s; what was said is in {SAID}/transcript.txt")
        except Failed:
            print("--- the end of the journal:", flush=True)
            print(pi.run("journalctl -q --no-pager -o short-monotonic -n 80", check=False), flush=True)
            raise
        finally:
            pi.end()


if __name__ == "__main__":
    # Whatever ends this, ends QEMU.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    try:
        main()
    except Failed as error:
        sys.exit(f"FAILED: {error}")
