//! What happens at `ep0`: the device is plugged in and pulled out, and a computer asks what the class of still-image devices has beside
//! the containers (PIMA 15740, "Class-specific requests").

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::Sender;

use super::Happened;
use crate::ptp::{self, Writer};

/// `struct usb_functionfs_event`: the request, its kind, and three bytes of nothing.
const EVENT: usize = 12;
/// `enum usb_functionfs_event_type`. The rest are bind, unbind, suspend and resume.
const ENABLE: u8 = 2;
const DISABLE: u8 = 3;
const SETUP: u8 = 4;
/// Requests of the class: `Cancel_Request`, `Device_Reset_Request` and `Get_Device_Status`.
const CANCEL: u8 = 0x64;
const RESET: u8 = 0x66;
const STATUS: u8 = 0x67;

/// Tells what happens, for as long as there is an `ep0` and somebody who listens.
pub(super) fn listen(mut control: File, tell: &Sender<Happened>) -> io::Result<()> {
    let mut event = [0; EVENT];
    loop {
        match control.read(&mut event) {
            Ok(EVENT) => {}
            // Not said by any kernel.
            Ok(_) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        let happened = match event[8] {
            ENABLE => Happened::Plugged,
            DISABLE => Happened::Unplugged,
            SETUP => {
                // A request that the computer has given up in the meantime fails, and the next one is told by the next event.
                let _ = answer(&mut control, &Request::of(&event));
                continue;
            }
            _ => continue,
        };
        if tell.send(happened).is_err() {
            return Ok(());
        }
    }
}

/// What of `struct usb_ctrlrequest` counts here.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    to_computer: bool,
    code: u8,
    length: usize,
}

impl Request {
    fn of(event: &[u8; EVENT]) -> Self {
        Self {
            to_computer: event[0] & 0x80 != 0,
            code: event[1],
            length: u16::from_le_bytes([event[6], event[7]]).into(),
        }
    }

    /// What the computer gets, of a request that there is. A transaction that is to be cancelled has ended by the time that this is
    /// read, and a reset has nothing to reset: whoever opens a session finds the camera as it is.
    fn reply(&self) -> Option<Vec<u8>> {
        match (self.code, self.to_computer) {
            (STATUS, true) => {
                let mut status = Writer::default().u16(4).u16(ptp::OK).0;
                status.truncate(self.length);
                Some(status)
            }
            (CANCEL | RESET, false) => Some(Vec::new()),
            _ => None,
        }
    }
}

fn answer(control: &mut File, request: &Request) -> io::Result<()> {
    // Taking where it is to be given, and the other way round, is how the kernel is told that there is no such request.
    match (request.reply(), request.to_computer) {
        (Some(reply), true) => control.write(&reply)?,
        (Some(_), false) => control.read(&mut vec![0; request.length])?,
        (None, true) => control.read(&mut [])?,
        (None, false) => control.write(&[])?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_is_told_that_the_camera_is_well_and_nothing_that_it_does_not_ask_for() {
        let of =
            |kind, code, length| Request::of(&[kind, code, 0, 0, 0, 0, length, 0, SETUP, 0, 0, 0]).reply();
        assert_eq!(of(0xA1, STATUS, 20), Some(vec![4, 0, 1, 0x20]));
        assert_eq!(of(0xA1, STATUS, 2), Some(vec![4, 0]));
        assert_eq!(of(0x21, CANCEL, 6), Some(vec![]));
        assert_eq!(of(0x21, RESET, 0), Some(vec![]));
        assert_eq!((of(0x21, STATUS, 20), of(0xA1, 0x65, 8)), (None, None));
    }
}
