//! PTP (PIMA 15740) over USB: containers, codes, and how things are written.

/// Kinds of containers.
pub(crate) const COMMAND: u16 = 1;
pub(crate) const DATA: u16 = 2;
pub(crate) const RESPONSE: u16 = 3;
pub(crate) const EVENT: u16 = 4;
/// Bytes in front of what is in a container.
pub(crate) const HEADER: usize = 12;

/// Responses.
pub(crate) const OK: u16 = 0x2001;
pub(crate) const GENERAL_ERROR: u16 = 0x2002;
pub(crate) const OPERATION_NOT_SUPPORTED: u16 = 0x2005;
pub(crate) const INVALID_OBJECT: u16 = 0x2009;
pub(crate) const PROPERTY_NOT_SUPPORTED: u16 = 0x200A;
pub(crate) const STORE_FULL: u16 = 0x200C;
pub(crate) const DEVICE_BUSY: u16 = 0x2019;

/// Events.
pub(crate) const OBJECT_ADDED: u16 = 0x4002;
pub(crate) const CAPTURE_COMPLETE: u16 = 0x400D;

/// Formats of objects.
pub(crate) const JPEG: u16 = 0x3801;
pub(crate) const OTHER_IMAGE: u16 = 0x3800;

/// Something being written.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn zeros(mut self, count: usize) -> Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    /// UTF-16 with its length in front, and a zero at its end.
    pub(crate) fn text(mut self, text: &str) -> Self {
        if text.is_empty() {
            return self.u8(0);
        }
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        self.0.push(units.len() as u8);
        self.0.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        self
    }

    pub(crate) fn list16(mut self, values: &[u16]) -> Self {
        self.0.extend((values.len() as u32).to_le_bytes());
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self
    }

    pub(crate) fn list32(mut self, values: &[u32]) -> Self {
        self.0.extend((values.len() as u32).to_le_bytes());
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self
    }
}

/// A container.
pub(crate) fn container(kind: u16, code: u16, transaction: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + content.len());
    bytes.extend(((HEADER + content.len()) as u32).to_le_bytes());
    bytes.extend(kind.to_le_bytes());
    bytes.extend(code.to_le_bytes());
    bytes.extend(transaction.to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// A container: how much is to be in it, its kind, and what is behind that.
pub(crate) fn opened(bytes: &[u8]) -> Option<(usize, u16, &[u8])> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?);
    Some((length.checked_sub(HEADER)?, kind, bytes.get(6..).filter(|rest| rest.len() >= HEADER - 6)?))
}

/// What is in a container of data; none in one of another kind.
pub(crate) fn data(bytes: &[u8]) -> Option<&[u8]> {
    let kind = u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?);
    if kind == DATA { bytes.get(HEADER..) } else { None }
}

/// What a computer asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Command {
    pub(crate) code: u16,
    pub(crate) transaction: u32,
    pub(crate) parameters: [u32; 5],
}

impl Command {
    /// Of the bytes of a container; none of another kind, or of one that is not whole.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let u16_at = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let u32_at = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        if u16_at(4)? != COMMAND || u32_at(0)? as usize > bytes.len() {
            return None;
        }
        let parameters = std::array::from_fn(|index| u32_at(HEADER + 4 * index).unwrap_or(0));
        Some(Self { code: u16_at(6)?, transaction: u32_at(8)?, parameters })
    }
}
