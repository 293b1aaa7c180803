//! The simulated DSLR at a network: PTP/IP (CIPA DC-005), as cameras with WLAN speak it. What is asked and answered is the same as on USB,
//! in packets of a TCP connection instead of containers; events have a connection of their own.

mod packets;
mod session;

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use packets::{Kind, Packet};
use session::Session;

use crate::settings::CameraSettings;

/// The port at which cameras listen.
pub const PORT: u16 = 15740;
/// A computer that has connected says who it is within this time.
const PATIENCE: Duration = Duration::from_secs(2);
/// Why a computer is refused: it is not the one that this camera knows.
const REJECTED: u32 = 1;

/// A simulated camera that listens.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    camera: CameraSettings,
    /// The computer that it is paired with: the first that came.
    paired: Option<[u8; 16]>,
    /// Connections for commands whose connections for events are still to come, by their numbers.
    halves: HashMap<u32, TcpStream>,
    next: u32,
    /// That of the session before: a computer that comes again has given it up.
    latest: Option<TcpStream>,
}

impl Listener {
    /// The camera that is as `camera` says, in JSON, at `address`.
    ///
    /// # Errors
    /// It would be within reach of other machines, the address cannot be had, or there is no such camera.
    pub fn bind(address: SocketAddr, camera: &str) -> io::Result<Self> {
        let refused = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
        if !address.ip().is_loopback() {
            let message = "a simulated camera is for this machine alone: take an address of loopback, such as 127.0.0.1";
            return Err(refused(message.into()));
        }
        let camera = serde_json::from_str(camera).map_err(|error| refused(format!("it is told: {error}")))?;
        let socket = TcpListener::bind(address)?;
        Ok(Self { socket, camera, paired: None, halves: HashMap::new(), next: 1, latest: None })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Answers whoever connects, for ever.
    ///
    /// # Errors
    /// Nobody can connect any more.
    pub fn serve(&mut self) -> io::Result<()> {
        loop {
            let (stream, _) = self.socket.accept()?;
            // Whoever does not speak PTP/IP is let go.
            let _ = self.greet(stream);
        }
    }

    fn greet(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let packet = Packet::read(&mut &stream)?;
        match packet.kind() {
            Some(Kind::InitCommand) => self.greet_commands(stream, &packet),
            Some(Kind::InitEvent) => self.greet_events(stream, &packet),
            Some(_) | None => Ok(()),
        }
    }

    fn greet_commands(&mut self, stream: TcpStream, packet: &Packet) -> io::Result<()> {
        let Some(computer) = packet.body.first_chunk::<16>() else { return Ok(()) };
        if *self.paired.get_or_insert(*computer) != *computer {
            return Packet::new(Kind::InitFail).u32(REJECTED).write(&mut &stream);
        }
        let number = self.next;
        self.next += 1;
        Packet::new(Kind::InitCommandAck)
            .u32(number)
            .bytes(b"simulated camera")
            .text("Simulated DSLR")
            .u32(0x0001_0000)
            .write(&mut &stream)?;
        self.halves.insert(number, stream);
        Ok(())
    }

    fn greet_events(&mut self, events: TcpStream, packet: &Packet) -> io::Result<()> {
        let commands = packet.u32_at(0).and_then(|number| self.halves.remove(&number));
        let Some(commands) = commands else { return Ok(()) };
        if let Some(before) = self.latest.replace(commands.try_clone()?) {
            // It may have ended.
            let _ = before.shutdown(Shutdown::Both);
        }
        let camera = self.camera.clone();
        // One whose camera hangs stays behind.
        thread::spawn(move || Session::new(commands, events).serve(&camera));
        Ok(())
    }
}
