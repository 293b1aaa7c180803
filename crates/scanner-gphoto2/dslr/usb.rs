//! The simulated DSLR as a device on USB, behind `FunctionFS` (`linux/usb/functionfs.h`): what a Linux machine with a USB device port, or with
//! `dummy_hcd` in place of one, shows to a computer. Containers go over the bus as they are; all that is here is how they come there.

mod control;
mod descriptors;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::camera::Dslr;
use crate::ptp;
use crate::settings::CameraSettings;

/// How often it is looked whether there is an event to tell.
const LOOK: Duration = Duration::from_millis(5);
/// What is given to the kernel at once, which makes a copy in one piece of memory: whole packets at every speed.
const PART: usize = 16 << 10;
/// More than any container that a computer sends to a camera.
const MOST: usize = 1 << 20;
const OK: i32 = 0;

/// Something that the camera learns.
enum Happened {
    Plugged,
    Unplugged,
    /// A whole container from the computer.
    Asked(Vec<u8>),
    /// Nothing more can come.
    Ended(io::Error),
}

/// A simulated camera at a mounted `FunctionFS`.
#[derive(Debug)]
pub struct Device {
    camera: CameraSettings,
    control: File,
    to_computer: File,
    from_computer: File,
    events: File,
}

impl Device {
    /// The camera that is as `camera` says, in JSON, behind the `FunctionFS` at `folder`. Its gadget may be bound to a port then.
    ///
    /// # Errors
    /// There is no `FunctionFS`, another program is behind it, or there is no such camera.
    pub fn describe(folder: &Path, camera: &str) -> io::Result<Self> {
        let told = |error| io::Error::new(ErrorKind::InvalidInput, format!("it is told: {error}"));
        let camera = serde_json::from_str(camera).map_err(told)?;
        let endpoint = |name| {
            let opened = OpenOptions::new().read(true).write(true).open(folder.join(name));
            let missing = "is a FunctionFS mounted there, and may this user have it?";
            opened.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}: {missing}")))
        };
        let mut control = endpoint("ep0")?;
        // The kernel takes each of them whole or not at all.
        control.write_all(&descriptors::descriptors())?;
        control.write_all(&descriptors::strings())?;
        Ok(Self {
            camera,
            control,
            to_computer: endpoint("ep1")?,
            from_computer: endpoint("ep2")?,
            events: endpoint("ep3")?,
        })
    }

    /// Answers whatever computer it is plugged into, for ever.
    ///
    /// # Errors
    /// The kernel has taken the endpoints away.
    pub fn serve(self) -> io::Result<()> {
        let Self { camera, control, to_computer, from_computer, events } = self;
        let (tell, happened) = channel();
        let (tell_event, event) = channel();
        let ended = tell.clone();
        thread::spawn(move || end(control::listen(control, &ended), &ended));
        thread::spawn(move || end(hear(from_computer, &tell), &tell));
        thread::spawn(move || tell_all(events, &event));
        serve(&camera, &happened, to_computer, &tell_event)
    }
}

fn end(ended: io::Result<()>, tell: &Sender<Happened>) {
    if let Err(error) = ended {
        // Nobody listens any more if it is over already.
        let _ = tell.send(Happened::Ended(error));
    }
}

/// Whether a transfer has failed since the device was pulled out, or the computer has reset it: the next one waits until it is back.
fn is_unplugged(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ESHUTDOWN) || error.kind() == ErrorKind::Interrupted
}

fn serve(
    settings: &CameraSettings,
    happened: &Receiver<Happened>,
    mut to_computer: File,
    events: &Sender<Vec<u8>>,
) -> io::Result<()> {
    let mut camera: Option<Dslr> = None;
    loop {
        match happened.recv_timeout(LOOK) {
            Ok(Happened::Plugged) => {
                let mut plugged = Dslr::new();
                camera = (plugged.open(settings) == OK).then_some(plugged);
            }
            Ok(Happened::Unplugged) => {
                // That is what brings one back that answers nothing.
                if let Some(mut dead) = camera.take().filter(Dslr::is_gone) {
                    dead.reset();
                }
            }
            Ok(Happened::Asked(container)) => {
                let Some(camera) = &mut camera else { continue };
                camera.write(&container);
                while let Some(answer) = camera.next_answer() {
                    match send(&mut to_computer, &answer) {
                        Ok(()) => {}
                        Err(error) if is_unplugged(&error) => break,
                        Err(error) => return Err(error),
                    }
                }
            }
            Ok(Happened::Ended(error)) => return Err(error),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let Some(camera) = &mut camera else { continue };
        let mut event = [0; ptp::HEADER + 3 * 4];
        while let Ok(length) = usize::try_from(camera.event(&mut event, 0)) {
            // If nobody asks for events any more, it is over.
            let _ = events.send(event[..length].to_vec());
        }
    }
}

/// A container, as the transfer that it is: it ends with a packet that is not full, if need be with an empty one.
fn send(to_computer: &mut File, container: &[u8]) -> io::Result<()> {
    for part in container.chunks(PART) {
        to_computer.write_all(part)?;
    }
    if container.len().is_multiple_of(packet(to_computer)?) {
        to_computer.write(&[]).map(|_| ())?;
    }
    Ok(())
}

/// Bytes in a packet of an endpoint, at the speed that the computer has settled on.
fn packet(endpoint: &File) -> io::Result<usize> {
    /// `FUNCTIONFS_ENDPOINT_DESC`: `_IOR('g', 130, struct usb_endpoint_descriptor)`, which has 9 bytes, the size of a packet behind 4.
    const DESCRIPTOR: libc::Ioctl = 0x8009_6782_u32 as libc::Ioctl;
    let mut descriptor = [0_u8; 9];
    // SAFETY: the kernel writes as many bytes as there are.
    let read = unsafe { libc::ioctl(endpoint.as_raw_fd(), DESCRIPTOR, descriptor.as_mut_ptr()) };
    if read < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u16::from_le_bytes([descriptor[4], descriptor[5]]).max(1).into())
}

/// Tells of each container from the computer.
fn hear(mut from_computer: File, tell: &Sender<Happened>) -> io::Result<()> {
    let mut transfer = vec![0; PART];
    let mut heard = Vec::new();
    loop {
        match from_computer.read(&mut transfer) {
            Ok(length) => heard.extend_from_slice(&transfer[..length]),
            // What was half said is void.
            Err(error) if is_unplugged(&error) => heard.clear(),
            Err(error) => return Err(error),
        }
        if let Some(container) = whole(&mut heard)
            && tell.send(Happened::Asked(container)).is_err()
        {
            return Ok(());
        }
    }
}

/// What was heard, if it is a whole container by now. What can be none is dropped.
fn whole(heard: &mut Vec<u8>) -> Option<Vec<u8>> {
    if heard.is_empty() {
        return None;
    }
    match ptp::opened(heard) {
        Some((content, ..)) if content > MOST => heard.clear(),
        Some((content, ..)) if heard.len() < ptp::HEADER + content => return None,
        Some(_) => return Some(std::mem::take(heard)),
        None => heard.clear(),
    }
    None
}

/// Gives events to the computer, each when it asks.
fn tell_all(mut endpoint: File, events: &Receiver<Vec<u8>>) {
    for event in events {
        // What has happened before it was pulled out is no news after that.
        let _ = endpoint.write(&event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_whole_with_its_last_byte_and_what_is_none_is_dropped() {
        let container = ptp::container(ptp::DATA, 0x1016, 7, &[5; 600]);
        let mut heard = container[..512].to_vec();
        assert_eq!(whole(&mut heard), None);
        heard.extend_from_slice(&container[512..]);
        assert_eq!(whole(&mut heard), Some(container));
        assert_eq!((whole(&mut heard), heard.len()), (None, 0));
        for none in [&[1, 2, 3][..], &[255; 16], &[0; 12]] {
            heard.extend_from_slice(none);
            assert_eq!((whole(&mut heard), heard.len()), (None, 0), "{none:?}");
        }
    }
}
