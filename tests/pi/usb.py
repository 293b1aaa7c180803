"""A camera on USB in the emulated Raspberry Pi: the unmodified libgphoto2 and the kernel's USB stack, and behind them the simulated DSLR."""

from service import expect

CONFIG = "/etc/scanner/usb.toml"
# As the service's user: it may use the camera by the package's udev rule alone.
DEVICES = f"runuser -u scanner -- scanner --config {CONFIG} devices"
SCANS = "/var/lib/scanner/usb/scans"
# What usb.toml wants.
POINTS = 6


def plugged_in(pi):
    """Makes the camera, whose photographs are those of the first scan, and plugs it in; `scanner devices` is to find it."""
    pi.run("mkdir -p /root/card && for image in $(find /var/lib/scanner/scans -path '*/images/*.jpg'); do cp $image /root/card/$(basename $image); done && ls -l /root/card")
    pi.run(f"cp /root/usb.toml {CONFIG} && install -d -o scanner -g scanner /var/lib/scanner/usb")
    before = pi.run(DEVICES, check=False)
    expect("none at all" in before, f"there is a camera before it is plugged in: {before}")
    pi.run("bash /root/usb-camera make /root/card", shown=True)
    pi.run("bash /root/usb-camera plug", shown=True)
    pi.wait_until("the camera on its bus", lambda: "1d6b:0104" in bus(pi))
    pi.run("udevadm settle")
    pi.run("cat /sys/class/udc/*/current_speed; grep -h . /sys/bus/usb/devices/1-1/{manufacturer,product,serial,speed}", shown=True)
    pi.run("ls -l /dev/bus/usb/001", shown=True)
    found = pi.run(DEVICES, shown=True)
    expect("USB PTP Class Camera" in found, f"it is not found: {found}")


def bus(pi):
    """The USB ids of what is at the only port of the only bus."""
    return pi.run("cat /sys/bus/usb/devices/1-1/id{Vendor,Product} 2>/dev/null | paste -sd:", check=False)


def begin(pi, scan):
    """As a unit of its own, as the user of the service."""
    pi.run(f"systemd-run --quiet --unit={scan} -p User=scanner -p RemainAfterExit=yes -E RUST_LOG=info scanner --config {CONFIG} scan --id {scan}", shown=True)


def log(pi, scan):
    """What it has said so far."""
    return pi.run(f"journalctl -q --no-pager -u {scan} -o cat")


def stored(pi, scan):
    """How many of its images are stored."""
    return log(pi, scan).count("stored images/dslr/")


def finish(pi, scan):
    """Waits for its end, and verifies it."""
    pi.wait_until(f"the end of {scan}", lambda: pi.run(f"systemctl show {scan} -p SubState --value") in ("exited", "failed"))
    said = log(pi, scan)
    verified = pi.run(f"scanner --config {CONFIG} dataset verify {scan}", check=False, shown=True)
    expect(f"complete; {POINTS} of {POINTS} shots stored, 0 failed" in verified, f"{scan} is not complete: {verified}\n{said}")
    return said


def scan_on_usb(pi):
    """A scan; what is stored is byte for byte what was on the camera's card."""
    scan = "usb-scan"
    begin(pi, scan)
    said = finish(pi, scan)
    expect("gone" not in said, f"the camera was gone: {said}")
    sums = pi.run(f"md5sum {SCANS}/{scan}/images/dslr/*.jpg /root/card/*.jpg", shown=True).splitlines()
    card = {line.split()[0] for line in sums if "/root/card/" in line}
    images = [line.split()[0] for line in sums if "/images/dslr/" in line]
    expect(len(images) == POINTS and set(images) <= card, f"what is stored is not what is on the card: {sums}")


def scan_unplugged(pi):
    """Its cable is pulled out in mid-scan, and plugged in again."""
    scan = "usb-unplugged"
    begin(pi, scan)
    pi.wait_until("two photographs", lambda: stored(pi, scan) >= 2)
    pi.note("the camera's cable is pulled out")
    pi.run("bash /root/usb-camera unplug", shown=True)
    before = stored(pi, scan)
    pi.wait_until("the loss of the camera", lambda: "gone: " in log(pi, scan))
    expect(not bus(pi), "it is still on its bus")
    pi.note("and plugged in again")
    pi.run("bash /root/usb-camera plug", shown=True)
    said = finish(pi, scan)
    expect("camera dslr is back" in said, f"it was not opened anew: {said}")
    pi.run(f"journalctl -q --no-pager -u {scan} -o cat | grep -E '^(stored|gone|recovering|camera dslr is back|scan complete)'", shown=True)
    return before
