//! Packets: their length, their kind, and what is in them.

use std::io::{self, Read, Write};

/// Bytes in front of what is in a packet.
const HEADER: usize = 8;
/// More than any packet that a computer sends to a camera.
const MOST: usize = 1 << 20;

/// Kinds of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    InitCommand = 1,
    InitCommandAck = 2,
    InitEvent = 3,
    InitEventAck = 4,
    InitFail = 5,
    Request = 6,
    Response = 7,
    Event = 8,
    StartData = 9,
    Data = 10,
    EndData = 12,
    Ping = 13,
    Pong = 14,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::InitCommand,
        Self::InitCommandAck,
        Self::InitEvent,
        Self::InitEventAck,
        Self::InitFail,
        Self::Request,
        Self::Response,
        Self::Event,
        Self::StartData,
        Self::Data,
        Self::EndData,
        Self::Ping,
        Self::Pong,
    ];
}

/// A packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet {
    kind: u32,
    pub(super) body: Vec<u8>,
}

impl Packet {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind: kind as u32, body: Vec::new() }
    }

    /// None of one that a camera need not know.
    pub(super) fn kind(&self) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u32 == self.kind)
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.body.extend_from_slice(bytes);
        self
    }

    pub(super) fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// UTF-16 with a zero at its end.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.body.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
        self
    }

    pub(super) fn u16_at(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.body.get(at..at + 2)?.try_into().ok()?))
    }

    pub(super) fn u32_at(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.body.get(at..at + 4)?.try_into().ok()?))
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(HEADER + self.body.len());
        bytes.extend(((HEADER + self.body.len()) as u32).to_le_bytes());
        bytes.extend(self.kind.to_le_bytes());
        bytes.extend_from_slice(&self.body);
        to.write_all(&bytes)
    }

    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let (mut length, mut kind) = ([0; 4], [0; 4]);
        from.read_exact(&mut length)?;
        from.read_exact(&mut kind)?;
        let length = (u32::from_le_bytes(length) as usize).checked_sub(HEADER);
        let length = length.filter(|length| *length <= MOST).ok_or(io::ErrorKind::InvalidData)?;
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Ok(Self { kind: u32::from_le_bytes(kind), body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_as_it_was_written_and_one_that_is_none_is_refused() {
        let packet = Packet::new(Kind::Response).bytes(&[1, 0x20]).u32(7).text("ab");
        let mut bytes = Vec::new();
        packet.write(&mut bytes).unwrap();
        assert_eq!(bytes[..4], [20, 0, 0, 0]);
        let read = Packet::read(&mut &bytes[..]).unwrap();
        assert_eq!(
            (read.kind(), read.u16_at(0), read.u32_at(2)),
            (Some(Kind::Response), Some(0x2001), Some(7))
        );
        assert_eq!(read, packet);
        for wrong in [&bytes[..19], &[7, 0, 0, 0, 1, 0, 0, 0], &[255, 255, 255, 255, 1, 0, 0, 0]] {
            Packet::read(&mut &wrong[..]).unwrap_err();
        }
    }
}
