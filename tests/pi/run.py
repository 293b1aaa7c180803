#!/usr/bin/env python3
"""Installs the packages for arm64 on an emulated Raspberry Pi 3, and has it scan with a rig on its GPIO registers.

Buttons are pressed, and pins are read, from outside the emulated machine. usage: run.py SCANNER LIBCAMERA, packages, in the
project's folder.
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

from bench import (
    EMERGENCY_STOP, LED, LIFT_ENABLE, LIFT_STEP, LIGHT, OUTPUTS, START, STEPS_PER_DEGREE, STEPS_PER_MM, TURN_ENABLE,
    TURN_STEP, Bench, planned_runs,
)
from emulator import BootFailed, Failed, Gpio, Pi

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(".cache/pi").resolve()
TOOLS = pathlib.Path(".cache/tools").resolve()
RUN = [str(pathlib.Path("cross/run").resolve()), str(TOOLS)]
# What rig.toml wants.
POINTS = 6
# Motors released but for the lift, which is held, and the light off. Enable is active when low.
SAFE = {TURN_STEP: False, TURN_ENABLE: True, LIFT_STEP: False, LIFT_ENABLE: False, LIGHT: False, LED: False}


def ok(what):
    print(f"ok: {what}", flush=True)


def expect(condition, what):
    if not condition:
        raise Failed(what)


def number(quantity):
    """"5 mm" as 5.0."""
    return float(quantity.split()[0])


def prepare(folder, packages):
    """A fresh card with the packages and their configuration on it."""
    card = folder / "sd.img"
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", CACHE / "base.img", card], check=True)
    scanner, libcamera = packages
    files = {scanner: "scanner.deb", libcamera: "scanner-libcamera.deb"}
    files |= {HERE / name: name for name in ("rig.toml", "emulated.conf", "virtual.toml", "virtual.yaml")}
    for source, name in files.items():
        shutil.copy(source, folder / name)
    commands = "".join(f"write /work/{folder.name}/{name} /root/{name}\n" for name in files.values())
    environment = {**os.environ, "SCANNER_BIND": str(CACHE)}
    written = subprocess.run(
        [*RUN, "debugfs", "-w", "-f", "/dev/stdin", f"/work/{folder.name}/sd.img"],
        input=commands, text=True, capture_output=True, env=environment,
    )
    expect(written.returncode == 0 and "rror" not in written.stderr, f"the card is not written: {written.stderr}")


def boot(folder, packages, log):
    """Boots a fresh card; once more if it does not come up."""
    for attempt in (1, 2):
        prepare(folder, packages)
        bench = Bench()
        os.environ["SCANNER_BIND"] = str(CACHE)
        pi = Pi(RUN, folder, folder.name, log)
        try:
            gpio = Gpio(folder, bench.changed)
            bench.wire(gpio)
            took, uptime = pi.boot(600)
            ok(f"booted in {took:.0f} s ({uptime:.0f} s by its own clock), attempt {attempt} of 2")
            return pi, gpio, bench
        except BaseException as error:
            pi.end()
            if attempt == 2 or not isinstance(error, BootFailed):
                raise
            print(f"does not boot, is tried once more: {error}", flush=True)


class Scanner:
    """The service in the guest."""

    def __init__(self, pi, gpio, bench):
        self.pi, self.gpio, self.bench = pi, gpio, bench

    def status(self):
        return json.loads(self.pi.run("scanner status --json"))

    def scans(self):
        return self.pi.run("ls /var/lib/scanner/scans").split()

    def verify(self, scan):
        return json.loads(self.pi.run(f"scanner dataset verify {scan} --json", check=False))

    def begin(self, press):
        """Presses start; the id of the scan, which is on its way then."""
        known = set(self.scans())
        press()
        self.pi.wait_until("the scan", 60, lambda: set(self.scans()) - known)
        return (set(self.scans()) - known).pop()

    def finish(self, scan):
        self.pi.wait_until(f"the end of {scan}", 400, lambda: not self.status()["scanning"])
        verified = self.verify(scan)
        expect(verified["state"] == "complete", f"{scan} is not complete: {verified}\n{self.pi.run('scanner logs ' + scan, check=False)}")

    def turning(self, since):
        """Waits until the turntable has made steps since it had made `since`."""
        self.pi.wait_until("a move of the turntable", 200, lambda: self.bench.pulses()[0] > since + 100)

    def still(self, seconds, why):
        """No motor makes a step in the next `seconds`."""
        before = self.bench.pulses()
        time.sleep(seconds)
        expect(self.bench.pulses() == before, f"motors make steps {why}: {before}, {self.bench.pulses()}")

    def safe(self, when, led=False):
        """The outputs have their safe levels, read from the registers."""
        levels = self.gpio.levels()
        wrong = {pin: bool(levels >> pin & 1) for pin, level in SAFE.items() if bool(levels >> pin & 1) != level and (pin != LED or led)}
        expect(not wrong, f"{when}, pins are not at their safe levels: {wrong}")
        expect(all(self.gpio.is_output(pin) for pin in OUTPUTS), f"{when}, pins are no outputs any more")

    def shows(self, pattern, when):
        seen = self.bench.pattern()
        expect(seen == pattern, f"{when}, the LED shows {seen}, not {pattern}")


def install(pi):
    began = time.monotonic()
    # Between the two, udevd reads the package's rules, whose groups are not there yet.
    pi.run("dpkg --unpack /root/scanner.deb", 600)
    pi.run("sleep 4; udevadm trigger --subsystem-match=gpio; udevadm settle", 300)
    output = pi.run("dpkg --configure scanner", 600)
    ok(f"installed with dpkg in {time.monotonic() - began:.0f} s")
    pi.run("udevadm settle", 300)
    expect(pi.run("stat -c %G /dev/gpiochip0") == "gpio", "the service may not use /dev/gpiochip0")
    expect(pi.run("systemctl is-active scanner", check=False) == "active", f"the service does not run: {output}")
    expect(pi.run("dpkg --print-architecture") == "arm64", "this is no arm64")
    entered = "systemctl show scanner --timestamp=unix -p ActiveEnterTimestampMonotonic -p ExecMainStartTimestampMonotonic --value"
    started, active = sorted(int(line) for line in pi.run(entered).split())
    ok(f"scanner.service is active as installed, {(active - started) / 1e6:.1f} s after its start; {pi.run('scanner --version')} on {pi.run('uname -m')}")


def without_registers(pi):
    """As packaged, on Debian's kernel: the registers are out of reach, and the service says so."""
    pi.run("mkdir -p /etc/scanner/scanner.toml.d && cp /root/rig.toml /etc/scanner/scanner.toml.d/10-rig.toml && scanner check-config")
    pi.run("systemctl restart scanner", check=False, timeout=300)
    said = pi.run("journalctl -q --no-pager -u scanner -o cat -n 20")
    expect("there is no /dev/gpiomem" in said, f"the service does not say that there is no /dev/gpiomem: {said}")
    pi.run("systemctl stop scanner; systemctl reset-failed scanner", check=False)
    ok("without /dev/gpiomem the service does not start, and says so")


def start_rig(pi, scanner):
    pi.run("mkdir -p /etc/systemd/system/scanner.service.d && cp /root/emulated.conf /etc/systemd/system/scanner.service.d/ && systemctl daemon-reload")
    pi.run("chgrp gpio /dev/mem && chmod g+rw /dev/mem && systemctl start scanner", 300)
    expect(pi.run("ps -o user= -p $(systemctl show -p MainPID --value scanner)") == "scanner", "it runs as somebody else")
    scanner.safe("after the start")
    scanner.shows("ready", "after the start")
    ok("on the registers, as the user scanner: every output at its safe level, the LED shows ready")


def scan_from_the_button(pi, scanner):
    bench = scanner.bench
    lights = bench.changes[LIGHT]
    scan = scanner.begin(lambda: bench.press(START))
    scanner.turning(0)
    expect(scanner.gpio.level(LIGHT), "the light is off in a scan")
    scanner.shows("scanning", "in a scan")
    scanner.finish(scan)

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
    log = pi.run(f"scanner logs {scan}")
    expect(log.count(" stored images") == POINTS and "scan complete" in log, f"the journal has something else: {log}")
    expect(not scanner.gpio.level(LIGHT), "the light is on after the scan")
    scanner.shows("ready", "after the scan")
    ok(
        f"start pressed: {scan} is complete, {POINTS} images verified; counted outside: steps of the turntable {turned} and "
        f"the lift {wanted}, as planned, after a homing of {homing}; LED scanning, then ready"
    )
    # Late steps make moves longer than planned, and that is no failure of the camera.
    expect("failed" not in log and "recover" not in log, f"attempts have failed: {log}")


def emergency_stop(pi, scanner):
    bench, gpio = scanner.bench, scanner.gpio
    before = bench.pulses()[0]
    scan = scanner.begin(lambda: bench.press(START))
    scanner.turning(before)
    gpio.drive(EMERGENCY_STOP, True)
    pi.wait_until("the motors' release", 30, lambda: gpio.level(TURN_ENABLE))
    scanner.still(5, "with the emergency stop open")
    pi.wait_until("the pause", 120, lambda: not scanner.status()["scanning"])
    scanner.safe("after the emergency stop")
    scanner.shows("stopped", "after the emergency stop")
    expect(scanner.verify(scan)["state"] == "paused", f"{scan} is not paused")
    expect("emergency stop" in pi.run("scanner clear", check=False), "it is cleared with the contact open")
    gpio.drive(EMERGENCY_STOP, False)
    scanner.still(3, "with the contact closed again")
    scanner.shows("stopped", "with the contact closed again")
    pi.run("scanner clear")
    scanner.still(3, "after clear")
    scanner.safe("after clear")
    expect(bench.pattern() != "stopped", "the LED does not show that the fault is cleared")
    ok(f"emergency stop in mid-move: no more steps, outputs safe, {scan} paused; latched until `scanner clear`, which moves nothing")
    refused = pi.run(f"scanner start --resume {scan}", check=False)
    scanner.still(3, f"before the turntable was put in its place ({refused})")
    # Put to its place by hand.
    bench.turntable.position = 0
    pi.run("scanner home turntable")
    pi.run(f"scanner start --resume {scan}")
    scanner.finish(scan)
    ok(f"turntable put in its place, resumed: {scan} is complete")


def killed(pi, scanner):
    bench, gpio = scanner.bench, scanner.gpio
    # What makes it safe is then the unit's ExecStopPost alone, not the next start.
    pi.run("mkdir -p /run/systemd/system/scanner.service.d && printf '[Service]\\nRestart=no\\n' > /run/systemd/system/scanner.service.d/no.conf && systemctl daemon-reload")
    before = bench.pulses()[0]
    scan = scanner.begin(lambda: bench.press(START))
    scanner.turning(before)
    expect(not gpio.level(TURN_ENABLE) and gpio.level(LIGHT), "the rig is not at work")
    pi.run("systemctl kill --kill-whom=main -s KILL scanner")
    pi.wait_until("the end", 120, lambda: pi.run("systemctl is-active scanner", check=False) == "failed")
    scanner.safe("after SIGKILL", led=True)
    scanner.still(3, "after SIGKILL")
    ok("SIGKILL in mid-move: the unit's safe-state has put every output to its safe level")
    pi.run("rm /run/systemd/system/scanner.service.d/no.conf && systemctl daemon-reload && systemctl reset-failed scanner && systemctl start scanner", 300)
    scanner.still(3, "after the start, with a turntable that may stand anywhere")
    bench.turntable.position = 0
    pi.run("scanner home turntable")
    pi.run(f"scanner start --resume {scan}")
    scanner.finish(scan)
    ok(f"started again, resumed: {scan} is complete")


def libcamera(pi, scanner):
    """The driver's package beside Debian's libcamera, and a scan through its virtual camera, in dmabufs."""
    pi.run("dpkg -i /root/scanner-libcamera.deb", 600)
    versions = pi.run("dpkg-query -W -f '${Package} ${Version}, ' scanner-libcamera libcamera0.7")
    needs = pi.run("dpkg-query -W -f '${Depends}' scanner-libcamera")
    expect("libcamera0.7 (>= 0.7.1)" in needs, f"it depends on another libcamera: {needs}")
    pi.run("mkdir -p /usr/share/libcamera/pipeline/virtual && cp /root/virtual.yaml /usr/share/libcamera/pipeline/virtual/")
    pi.run("cp /root/virtual.toml /etc/scanner/scanner.toml.d/20-virtual.toml && scanner check-config")
    # Where frames get their memory; these devices were there before the rules of the package.
    pi.run("udevadm trigger --subsystem-match=dma_heap --subsystem-match=misc && udevadm settle", 300)
    memory = pi.run("stat -c '%n %G %a' /dev/udmabuf /dev/dma_heap/* 2>/dev/null", check=False)
    pi.run("systemctl restart scanner", 300)
    devices = pi.run("scanner devices", 300, check=False)
    expect("Virtual0" in devices, f"there is no virtual camera: {devices}")
    # Put to its place by hand.
    scanner.bench.turntable.position = 0
    pi.run("scanner home turntable")
    scan = scanner.begin(lambda: scanner.bench.press(START))
    scanner.finish(scan)
    log = pi.run(f"scanner logs {scan}")
    expect(log.count(" stored images") == POINTS and "scan complete" in log, f"the journal has something else: {log}")
    said = pi.run("journalctl -q --no-pager -u scanner -o cat")
    version = re.search(r"libcamera v?0\.7\.[^ ]*", said)
    expect(version, f"no libcamera 0.7 has said its version: {said}")
    expect("stills are copied" not in said, "no frame was lent to the service as it is")
    ok(
        f"{versions}needs {needs}; {version.group()}: {scan} is complete, {POINTS} images verified, lent to the service as "
        f"dmabufs; memory from {memory.splitlines()}"
    )


def main():
    packages = [pathlib.Path(package) for package in sys.argv[1:]]
    began = time.monotonic()
    pathlib.Path("target/pi").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run.", dir=CACHE) as folder:
        pi, gpio, bench = boot(pathlib.Path(folder), packages, "target/pi/console.log")
        try:
            scanner = Scanner(pi, gpio, bench)
            install(pi)
            without_registers(pi)
            start_rig(pi, scanner)
            scan_from_the_button(pi, scanner)
            emergency_stop(pi, scanner)
            killed(pi, scanner)
            libcamera(pi, scanner)
            pi.run("systemctl stop scanner", 300)
            scanner.safe("after systemctl stop", led=True)
            ok(f"systemctl stop: outputs safe. The package: {packages[0].stat().st_size} bytes. In all {time.monotonic() - began:.0f} s")
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
