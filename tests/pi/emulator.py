"""An emulated Raspberry Pi 3: its serial console, and its GPIO registers as they are seen from outside."""

import collections
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

KERNEL_ARGUMENTS = " ".join(
    [
        "console=ttyAMA0,115200 root=/dev/mmcblk0 rw quiet loglevel=4",
        "systemd.show_status=0 systemd.log_target=journal",
        "systemd.default_timeout_start_sec=300 systemd.default_device_timeout_sec=300",
        # Registers that a driver has claimed are out of bounds for /dev/mem otherwise.
        "iomem=relaxed",
        # Where libraries have other addresses in each process, one in some starts of a program ended with an undefined instruction: the
        # first call inside a library just loaded went astray. With the same ones in all it was not seen; QEMU is suspected.
        "norandmaps",
        # More processors than the machine has wait for each other.
        f"maxcpus={min(4, os.cpu_count() or 4)}",
        # What QEMU does not emulate, and the kernel would wait for.
        "modprobe.blacklist=vc4,snd_bcm2835,bcm2835_v4l2,vchiq,bcm2835_vchiq,brcmfmac,hci_uart,raspberrypi_hwmon,dwc2",
    ]
)

# For what is waited for, in seconds: it may take long here, and ends the wait when it comes.
LONG = 1200

# The registers of pins 0 to 31: set, clear, read.
GPSET0, GPCLR0, GPLEV0, GPFSEL0 = 0x3F20001C, 0x3F200028, 0x3F200034, 0x3F200000


class Failed(Exception):
    """Something is not as it should be."""


class BootFailed(Failed):
    """It does not come up: with too little processor time it sometimes does not."""


class Pi:
    """A Raspberry Pi that boots the card `sd.img` in `folder`, which the tools see as /work/`inside`. What its console says goes to
    console.log in the folder `said`, and what is to be shown of it to transcript.txt."""

    def __init__(self, run, folder, inside, said):
        self.began = time.monotonic()
        self.folder = folder
        self.log = open(said / "console.log", "wb")
        self.transcript = open(said / "transcript.txt", "w", encoding="utf-8")
        self.seen = b""
        self.commands = 0
        command = [
            *run, "qemu-system-aarch64", "-M", "raspi3b", "-kernel", "/work/vmlinuz", "-initrd", "/work/initrd.gz",
            "-dtb", "/work/pi3.dtb", "-drive", f"if=sd,format=raw,file=/work/{inside}/sd.img",
            "-append", KERNEL_ARGUMENTS, "-qtest", f"unix:/work/{inside}/qtest.sock,server=on,wait=off",
            "-qtest-log", "/dev/null", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )

    def boot(self, timeout=LONG):
        """Waits for a shell on the console; returns the seconds to it, and those that the guest has counted."""
        if not self.read_until(rb"root@pi:[^\n]*# ", timeout):
            raise BootFailed(f"no shell on the console after {timeout} s; its end: {self.seen[-1500:].decode(errors='replace')}")
        self.type("stty -echo cols 250; export PS1= PS2= TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive; bind 'set enable-bracketed-paste off'; dmesg -n 1; echo READY$((1+1))")
        if not self.read_until(rb"READY2", LONG):
            raise BootFailed("the shell does not answer")
        self.run("systemctl is-system-running --wait", check=False)
        return time.monotonic() - self.began, float(self.run("cut -d' ' -f1 /proc/uptime"))

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def read_until(self, pattern, timeout):
        """Reads the console until `pattern`, from where the last one ended; none after `timeout` seconds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            match = re.search(pattern, self.seen)
            if match:
                self.seen = self.seen[match.end():]
                return match
            if select.select([self.process.stdout], [], [], 0.5)[0]:
                data = os.read(self.process.stdout.fileno(), 65536)
                if not data:
                    raise BootFailed(f"QEMU has ended: {self.seen[-1500:].decode(errors='replace')}")
                self.log.write(data)
                self.log.flush()
                self.seen += data
        return None

    def note(self, text):
        """What happens outside, for the transcript."""
        self.transcript.write(f"[outside] {text}\n\n")
        self.transcript.flush()

    def run(self, command, timeout=LONG, check=True, shown=False):
        """What `command` prints in the guest; it is to succeed if `check`. In the transcript if `shown`."""
        self.commands += 1
        self.type(f"{{ {command}\n}} 2>&1; echo ENDED-{self.commands}-$?-")
        match = self.read_until(rb"(?s)^(.*?)ENDED-%d-(\d+)-\r?\n" % self.commands, timeout)
        if not match:
            raise Failed(f"`{command}` does not end in {timeout} s: {self.seen.decode(errors='replace')}")
        # Of what shows its progress on one line, its end.
        lines = [line.rstrip("\r").rpartition("\r")[2] for line in match.group(1).decode(errors="replace").split("\n")]
        output = "\n".join(lines).strip()
        if shown:
            self.transcript.write(f"root@pi:~# {command}\n{output}\n\n")
            self.transcript.flush()
        if check and match.group(2) != b"0":
            raise Failed(f"`{command}` fails with {match.group(2).decode()}: {output}")
        return output

    def wait_until(self, what, condition):
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.5)
        raise Failed(f"{what} did not come in {LONG} s")

    def end(self):
        """Takes the power away."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()
        self.transcript.close()


class Gpio:
    """The pins of the header, through QEMU's test protocol: levels, and every change of an output as it happens."""

    def __init__(self, folder, on_change):
        self.on_change = on_change
        self.answers = collections.deque()
        self.sending = threading.Lock()
        self.socket = socket.socket(socket.AF_UNIX)
        # A socket's name must be short.
        here = os.getcwd()
        os.chdir(folder)
        try:
            for _ in range(600):
                try:
                    self.socket.connect("qtest.sock")
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                raise BootFailed("QEMU does not open its socket")
        finally:
            os.chdir(here)
        threading.Thread(target=self.listen, daemon=True).start()
        self.ask("irq_intercept_out /machine/soc/peripherals/gpio")

    def listen(self):
        for line in self.socket.makefile("r"):
            words = line.split()
            if words[0] == "IRQ":
                self.on_change(int(words[2]), words[1] == "raise", time.monotonic())
            else:
                self.answers.popleft()(words)

    def send(self, command, answered):
        with self.sending:
            self.answers.append(answered)
            self.socket.sendall(command.encode() + b"\n")

    def ask(self, command):
        done, words = threading.Event(), []
        self.send(command, lambda answer: (words.extend(answer), done.set()))
        if not done.wait(60):
            raise Failed(f"QEMU does not answer to {command}")
        if words[0] != "OK":
            raise Failed(f"QEMU answers {words} to {command}")
        return words[1:]

    def levels(self):
        """The levels of the pins 0 to 31, as bits."""
        return int(self.ask(f"readl {GPLEV0:#x}")[0], 16)

    def level(self, pin):
        return bool(self.levels() >> pin & 1)

    def is_output(self, pin):
        functions = int(self.ask(f"readl {GPFSEL0 + 4 * (pin // 10):#x}")[0], 16)
        return functions >> 3 * (pin % 10) & 7 == 1

    def drive(self, pin, high):
        """Puts an input to a level, as what is wired to it does. Does not wait, so that a listener may call it."""
        self.send(f"writel {GPSET0 if high else GPCLR0:#x} {1 << pin:#x}", lambda _: None)
