//! The serial port at which chips hang.

use std::io;
use std::path::Path;
use std::time::Duration;

use serial2::SerialPort;

/// Bits a second. The chips follow whatever is sent, up to 500,000; this is what every serial port has.
pub(super) const BAUD: u32 = 115_200;

/// How long a chip is waited for. A reply takes 1.1 ms, and begins within some tens of microseconds; a USB adapter keeps it
/// back for 16 ms.
pub(super) const PATIENCE: Duration = Duration::from_millis(50);

/// Opens the serial port at `path`.
pub(super) fn open(path: &Path) -> io::Result<SerialPort> {
    SerialPort::open(path, BAUD)
}
