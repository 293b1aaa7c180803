"""What is wired to the emulated Raspberry Pi: the rig of rig.toml, on the pins of README.md, "Wiring"."""

import threading
import time

TURN_STEP, TURN_DIRECTION, TURN_ENABLE = 17, 27, 22
LIFT_STEP, LIFT_DIRECTION, LIFT_ENABLE, LIFT_SWITCH = 23, 24, 25, 16
LIGHT, START, STOP, LED, EMERGENCY_STOP = 18, 5, 6, 12, 26
OUTPUTS = [TURN_STEP, TURN_DIRECTION, TURN_ENABLE, LIFT_STEP, LIFT_DIRECTION, LIFT_ENABLE, LIGHT, LED]

# As rig.toml says: steps of a motor of 200 full steps, with 8 microsteps, for what one turn of it moves.
STEPS_PER_DEGREE = 200 * 8 / 360
STEPS_PER_MM = 200 * 8 / 40

def planned_runs(targets, turn=None):
    """Steps from one change of the direction to the next on the way through `targets`, which are in steps, from 0. With
    a `turn` the way is the shorter one round."""
    runs, present = [], 0
    for target in targets:
        if turn:
            target += turn * round((present - target) / turn)
        way = round(target) - round(present)
        present = target
        if runs and way and (runs[-1] > 0) == (way > 0):
            runs[-1] += way
        elif way:
            runs.append(way)
    return runs


# What README.md says of the LED: flashes a second, and the part of the time in which it is lit.
PATTERNS = {
    "ready": (0, 1.0), "scanning": (1, 0.5), "recovering": (4, 0.5), "attention": (1, 0.15),
    "wedged": (1.5, 0.225), "stopped": (10, 0.5),
}


class Motor:
    """Follows its pins: where it stands in steps, how many steps it has made, and how many of them without power."""

    def __init__(self, step, direction, enable, position):
        self.step, self.direction, self.enable = step, direction, enable
        self.position = position
        self.pulses = 0
        self.unpowered = 0
        # Steps up or down (negative) from one change of the direction to the next.
        self.runs = []

    def made(self, up, powered):
        step = 1 if up else -1
        self.position += step
        self.pulses += 1
        self.unpowered += not powered
        if self.runs and (self.runs[-1] > 0) == up:
            self.runs[-1] += step
        else:
            self.runs.append(step)


class Bench:
    """The motors, the carriage of the lift with its switch, and a record of the LED."""

    def __init__(self):
        self.gpio = None
        self.lock = threading.Lock()
        self.levels = 0
        self.turntable = Motor(TURN_STEP, TURN_DIRECTION, TURN_ENABLE, 0)
        # 12 mm over its switch.
        self.lift = Motor(LIFT_STEP, LIFT_DIRECTION, LIFT_ENABLE, int(12 * STEPS_PER_MM))
        self.changes = {pin: 0 for pin in OUTPUTS}
        self.led = []

    def wire(self, gpio):
        """Lets go of the buttons and the switch; the contact of the emergency stop is closed."""
        self.gpio = gpio
        for pin in (START, STOP, LIFT_SWITCH):
            gpio.drive(pin, True)
        gpio.drive(EMERGENCY_STOP, False)

    def changed(self, pin, high, at):
        """Is called for each change of an output."""
        if pin not in self.changes:
            return
        with self.lock:
            self.levels = self.levels | 1 << pin if high else self.levels & ~(1 << pin)
            self.changes[pin] += 1
            if pin == LED:
                self.led.append((at, high))
            for motor in (self.turntable, self.lift):
                if pin == motor.step and high:
                    # Enable is active when low.
                    motor.made(self.is_high(motor.direction), not self.is_high(motor.enable))
            if pin == LIFT_STEP and high:
                # It closes to ground where the carriage touches it.
                self.gpio.drive(LIFT_SWITCH, self.lift.position > 0)

    def is_high(self, pin):
        return bool(self.levels >> pin & 1)

    def runs(self):
        with self.lock:
            return list(self.turntable.runs), list(self.lift.runs)

    def pulses(self):
        """Steps of the turntable and the lift so far."""
        with self.lock:
            return self.turntable.pulses, self.lift.pulses

    def press(self, pin, seconds=0.4):
        self.gpio.drive(pin, False)
        time.sleep(seconds)
        self.gpio.drive(pin, True)

    def pattern(self, seconds=8):
        """What the LED shows for the next `seconds`: the pattern of README.md that is nearest."""
        begin = time.monotonic()
        lit = self.gpio.level(LED)
        time.sleep(seconds)
        end = time.monotonic()
        with self.lock:
            changes = [(at, high) for at, high in self.led if begin <= at <= end]
        flashes = sum(high for _, high in changes)
        lit_for = 0.0
        for at, high in changes + [(end, not lit)]:
            lit_for += (at - begin) if lit else 0
            begin, lit = at, high
        rate, share = flashes / seconds, lit_for / seconds

        def distance(name):
            nominal_rate, nominal_share = PATTERNS[name]
            return abs(rate - nominal_rate) / (0.5 + nominal_rate) + abs(share - nominal_share)

        return min(PATTERNS, key=distance) if flashes or share else "dark"
