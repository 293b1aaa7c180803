//! A computer that is connected.

use std::ffi::c_int;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::packets::{Kind, Packet};
use crate::camera::Dslr;
use crate::ptp;
use crate::settings::CameraSettings;

/// How often it is looked whether there is an event to tell.
const LOOK: Duration = Duration::from_millis(5);
/// Data that goes in one packet.
const PART: usize = 64 << 10;
/// Why a computer is refused: another one has the camera.
const BUSY: u32 = 2;
const OK: c_int = 0;
const TIMEOUT: c_int = -10;

/// The connections of one computer.
pub(super) struct Session {
    commands: TcpStream,
    events: TcpStream,
    camera: Dslr,
}

impl Session {
    pub(super) fn new(commands: TcpStream, events: TcpStream) -> Self {
        Self { commands, events, camera: Dslr::new() }
    }

    /// Answers until the computer or the camera is gone.
    pub(super) fn serve(mut self, camera: &CameraSettings) {
        // Both ends see that it is over; why, is of no concern.
        let _ = self.open(camera);
        let _ = self.commands.shutdown(Shutdown::Both);
        let _ = self.events.shutdown(Shutdown::Both);
    }

    fn open(&mut self, camera: &CameraSettings) -> io::Result<()> {
        if self.camera.open(camera) != OK {
            return Packet::new(Kind::InitFail).u32(BUSY).write(&mut &self.events);
        }
        Packet::new(Kind::InitEventAck).write(&mut &self.events)?;
        while !self.camera.is_gone() {
            self.tell()?;
            self.commands.set_read_timeout(Some(LOOK))?;
            match self.commands.peek(&mut [0]) {
                Ok(0) => break,
                Ok(_) => {
                    self.commands.set_read_timeout(None)?;
                    self.transaction()?;
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What has happened by now.
    fn tell(&mut self) -> io::Result<()> {
        let mut container = [0; ptp::HEADER + 3 * 4];
        loop {
            let length = self.camera.event(&mut container, 0);
            let Ok(length) = usize::try_from(length) else {
                return if length == TIMEOUT { Ok(()) } else { Err(ErrorKind::BrokenPipe.into()) };
            };
            // Code, transaction and parameters stand as they do on USB.
            Packet::new(Kind::Event).bytes(&container[6..length]).write(&mut &self.events)?;
        }
    }

    /// What the computer asks, and all that belongs to it.
    fn transaction(&mut self) -> io::Result<()> {
        let packet = Packet::read(&mut &self.commands)?;
        match packet.kind() {
            Some(Kind::Request) => {}
            Some(Kind::Ping) => return Packet::new(Kind::Pong).write(&mut &self.commands),
            Some(_) | None => return Ok(()),
        }
        let (code, transaction) = packet.u16_at(4).zip(packet.u32_at(6)).ok_or(ErrorKind::InvalidData)?;
        self.camera.write(&ptp::container(ptp::COMMAND, code, transaction, &packet.body[10..]));
        if self.camera.wants_data() {
            let data = self.data()?;
            self.camera.write(&ptp::container(ptp::DATA, code, transaction, &data));
        }
        while let Some(answer) = self.camera.next_answer() {
            self.answer(&answer)?;
        }
        Ok(())
    }

    /// What the computer sends to what it has asked.
    fn data(&self) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        loop {
            let packet = Packet::read(&mut &self.commands)?;
            let part = packet.body.get(4..).unwrap_or_default();
            match packet.kind() {
                Some(Kind::StartData) => {}
                Some(Kind::Data) => data.extend_from_slice(part),
                Some(Kind::EndData) => {
                    data.extend_from_slice(part);
                    return Ok(data);
                }
                Some(_) | None => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }

    /// A container, in packets. Of one that is not whole, as much as there is.
    fn answer(&self, container: &[u8]) -> io::Result<()> {
        let Some((announced, kind, rest)) = ptp::opened(container) else { return Ok(()) };
        if kind != ptp::DATA {
            // Code, transaction and parameters stand as they do on USB.
            return Packet::new(Kind::Response).bytes(rest).write(&mut &self.commands);
        }
        let (transaction, data) = (&rest[2..6], &rest[6..]);
        let start = Packet::new(Kind::StartData).bytes(transaction).u32(announced as u32).u32(0);
        start.write(&mut &self.commands)?;
        let mut left = announced;
        for part in data.chunks(PART) {
            left -= part.len();
            let kind = if left == 0 { Kind::EndData } else { Kind::Data };
            Packet::new(kind).bytes(transaction).bytes(part).write(&mut &self.commands)?;
        }
        if announced == 0 {
            Packet::new(Kind::EndData).bytes(transaction).write(&mut &self.commands)?;
        }
        Ok(())
    }
}
