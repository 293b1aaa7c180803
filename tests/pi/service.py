"""The service in the emulated Raspberry Pi, and what its pins are to be like."""

import json
import time

from bench import LED, LIFT_ENABLE, LIFT_STEP, LIGHT, OUTPUTS, START, TURN_ENABLE, TURN_STEP
from emulator import Failed

# Motors released but for the lift, which is held, and the light off. Enable is active when low.
SAFE = {TURN_STEP: False, TURN_ENABLE: True, LIFT_STEP: False, LIFT_ENABLE: False, LIGHT: False, LED: False}


def expect(condition, what):
    if not condition:
        raise Failed(what)


class Service:
    """The service in the guest."""

    def __init__(self, pi, gpio, bench):
        self.pi, self.gpio, self.bench = pi, gpio, bench

    def status(self):
        return json.loads(self.pi.run("scanner status --json"))

    def scans(self):
        return self.pi.run("ls /var/lib/scanner/scans").split()

    def verify(self, scan):
        return json.loads(self.pi.run(f"scanner dataset verify {scan} --json", check=False))

    def begin(self):
        """The start button is pressed; the id of the scan, which is on its way then."""
        known = set(self.scans())
        self.pi.note(f"GPIO{START} to ground for a moment: the start button is pressed")
        self.bench.press(START)
        self.pi.wait_until("the scan", lambda: set(self.scans()) - known)
        return (set(self.scans()) - known).pop()

    def finish(self, scan):
        self.pi.wait_until(f"the end of {scan}", lambda: not self.status()["scanning"])
        verified = self.verify(scan)
        expect(verified["state"] == "complete", f"{scan} is not complete: {verified}\n{self.pi.run('scanner logs ' + scan, check=False)}")
        self.pi.run(f"scanner dataset verify {scan}", shown=True)

    def turning(self, since):
        """Waits until the turntable has made steps since it had made `since`."""
        self.pi.wait_until("a move of the turntable", lambda: self.bench.pulses()[0] > since + 100)

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
        """The LED shows it: at once, or a little later on a machine that is late."""
        seen = []
        while pattern not in seen and len(seen) < 4:
            seen.append(self.bench.pattern())
        expect(pattern in seen, f"{when}, the LED shows {seen}, not {pattern}")
