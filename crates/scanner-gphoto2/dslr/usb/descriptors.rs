//! What a still-image device says of itself: descriptors and strings, as `linux/usb/functionfs.h` wants them at `ep0`. The structures there
//! are packed, and their numbers little-endian.

use crate::ptp::Writer;

/// `FUNCTIONFS_DESCRIPTORS_MAGIC_V2` and `FUNCTIONFS_STRINGS_MAGIC`.
const DESCRIPTORS_MAGIC: u32 = 3;
const STRINGS_MAGIC: u32 = 2;
/// `FUNCTIONFS_HAS_FS_DESC` and `FUNCTIONFS_HAS_HS_DESC`.
const FULL_AND_HIGH_SPEED: u32 = 1 | 2;
/// `USB_DT_INTERFACE` and `USB_DT_ENDPOINT`, with their lengths in front.
const INTERFACE: [u8; 2] = [9, 4];
const ENDPOINT: [u8; 2] = [7, 5];
/// Kinds of endpoints: `USB_ENDPOINT_XFER_BULK` and `USB_ENDPOINT_XFER_INT`.
const BULK: u8 = 2;
const INTERRUPT: u8 = 3;
/// One interface and its three endpoints.
const DESCRIPTORS: u32 = 4;
/// English (United States), the language of its only string.
const LANGUAGE: u16 = 0x0409;
const NAME: &str = "Still image";

/// What one speed is like.
struct Speed {
    /// Bytes in a packet of a bulk endpoint.
    bulk: u16,
    /// How often events are asked for: in frames of 1 ms, or as the power of 2 of their eighths, plus 1.
    interval: u8,
}

/// 8 ms at each speed.
const FULL: Speed = Speed { bulk: 64, interval: 8 };
const HIGH: Speed = Speed { bulk: 512, interval: 7 };
/// Bytes in a packet of the interrupt endpoint: an event has 24 at most.
const EVENT: u16 = 64;

/// The interface and its endpoints at full and at high speed.
pub(super) fn descriptors() -> Vec<u8> {
    let described = described(Writer::default().u32(DESCRIPTORS).u32(DESCRIPTORS), &FULL);
    let described = self::described(described, &HIGH).0;
    // The magic number, this length and the flags.
    let length = 3 * 4 + described.len() as u32;
    let mut all = Writer::default().u32(DESCRIPTORS_MAGIC).u32(length).u32(FULL_AND_HIGH_SPEED).0;
    all.extend(described);
    all
}

/// At one speed. The endpoints are those of `ep1`, `ep2` and `ep3`; their addresses are this device's own.
fn described(to: Writer, speed: &Speed) -> Writer {
    let (class, subclass, protocol) = crate::STILL_IMAGE;
    let interface = [0, 0, 3, class as u8, subclass as u8, protocol as u8, 1];
    let to = INTERFACE.into_iter().chain(interface).fold(to, Writer::u8);
    let to = endpoint(to, 0x81, BULK, speed.bulk, 0);
    let to = endpoint(to, 0x02, BULK, speed.bulk, 0);
    endpoint(to, 0x83, INTERRUPT, EVENT, speed.interval)
}

fn endpoint(to: Writer, address: u8, kind: u8, packet: u16, interval: u8) -> Writer {
    ENDPOINT.into_iter().chain([address, kind]).fold(to, Writer::u8).u16(packet).u8(interval)
}

/// The interface's name.
pub(super) fn strings() -> Vec<u8> {
    // The head has 16 bytes, the language 2, and a string ends with 0.
    let length = 16 + 2 + NAME.len() as u32 + 1;
    let head = Writer::default().u32(STRINGS_MAGIC).u32(length).u32(1).u32(1).u16(LANGUAGE);
    NAME.bytes().chain([0]).fold(head, Writer::u8).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_told_of_one_still_image_interface_with_three_endpoints_at_two_speeds() {
        #[rustfmt::skip]
        let wanted = [
            3, 0, 0, 0, 80, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0,
            9, 4, 0, 0, 3, 6, 1, 1, 1,
            7, 5, 0x81, 2, 64, 0, 0,
            7, 5, 0x02, 2, 64, 0, 0,
            7, 5, 0x83, 3, 64, 0, 8,
            9, 4, 0, 0, 3, 6, 1, 1, 1,
            7, 5, 0x81, 2, 0, 2, 0,
            7, 5, 0x02, 2, 0, 2, 0,
            7, 5, 0x83, 3, 64, 0, 7,
        ];
        assert_eq!(descriptors(), wanted);
    }

    #[test]
    fn the_kernel_is_told_the_name_of_the_interface() {
        let mut wanted = vec![2, 0, 0, 0, 30, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 4];
        wanted.extend(b"Still image\0");
        assert_eq!(strings(), wanted);
    }
}
