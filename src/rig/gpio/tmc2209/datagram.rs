//! The datagrams of a TMC2209, as its data sheet (rev. 1.09, section 4) has them. Pure.

/// First byte of each.
const SYNC: u8 = 0x05;
/// Whom replies are for.
const MASTER: u8 = 0xFF;
/// In the register's byte: it is to be written.
const WRITE: u8 = 0x80;

/// Length of a request to read.
pub(super) const READ_LENGTH: usize = 4;
/// Length of a request to write, and of a reply.
pub(super) const LENGTH: usize = 8;

/// What a chip is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Read { address: u8, register: u8 },
    Write { address: u8, register: u8, value: u32 },
}

/// What is at the front of bytes that a chip has heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// More has to come.
    Nothing,
    /// This many bytes are nothing that a chip understands.
    Noise(usize),
    Request(Request),
}

/// The CRC-8 with the polynomial x^8 + x^2 + x + 1, from the lowest bit of each byte on, beginning with 0.
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc, |crc: u8, bit| {
            let differs = (crc >> 7) ^ ((byte >> bit) & 1) == 1;
            (crc << 1) ^ if differs { 0x07 } else { 0 }
        })
    })
}

fn long(address: u8, register: u8, value: u32) -> [u8; LENGTH] {
    let mut bytes = [SYNC, address, register, 0, 0, 0, 0, 0];
    bytes[READ_LENGTH - 1..LENGTH - 1].copy_from_slice(&value.to_be_bytes());
    bytes[LENGTH - 1] = crc8(&bytes[..LENGTH - 1]);
    bytes
}

/// The request to read `register` (7 bits) of the chip at `address`.
pub(super) fn read(address: u8, register: u8) -> [u8; READ_LENGTH] {
    let body = [SYNC, address, register & !WRITE];
    [body[0], body[1], body[2], crc8(&body)]
}

/// The request to write `value` to `register` (7 bits) of the chip at `address`.
pub(super) fn write(address: u8, register: u8, value: u32) -> [u8; LENGTH] {
    long(address, register | WRITE, value)
}

/// What a chip answers to a request to read.
pub(super) fn reply(register: u8, value: u32) -> [u8; LENGTH] {
    long(MASTER, register & !WRITE, value)
}

/// The value of `register`, if `bytes` have the reply. What is in front of it is skipped: on a single wire, whatever is
/// sent is heard, too.
pub(super) fn find_reply(bytes: &[u8], register: u8) -> Option<u32> {
    bytes.windows(LENGTH).find_map(|bytes| {
        let (body, crc) = bytes.split_at(LENGTH - 1);
        let [SYNC, MASTER, found, a, b, c, d] = *body else { return None };
        let whole = found == register && crc == [crc8(body)];
        whole.then(|| u32::from_be_bytes([a, b, c, d]))
    })
}

/// What `bytes` begin with, as a chip understands it.
pub(super) fn hear(bytes: &[u8]) -> Heard {
    match *bytes {
        [] | [SYNC] | [SYNC, _] => Heard::Nothing,
        [SYNC, address, register, ref rest @ ..] if register & WRITE == 0 => match rest {
            [] => Heard::Nothing,
            [crc, ..] if *crc == crc8(&bytes[..READ_LENGTH - 1]) => {
                Heard::Request(Request::Read { address, register })
            }
            [..] => Heard::Noise(READ_LENGTH),
        },
        [SYNC, address, register, ref rest @ ..] => match *rest {
            [a, b, c, d, crc, ..] if crc == crc8(&bytes[..LENGTH - 1]) => Heard::Request(Request::Write {
                address,
                register: register & !WRITE,
                value: u32::from_be_bytes([a, b, c, d]),
            }),
            [_, _, _, _, _, ..] => Heard::Noise(LENGTH),
            [..] => Heard::Nothing,
        },
        [_, ..] => Heard::Noise(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_seen_elsewhere_are_ours() {
        // A log of a Raspberry Pi that reads IOIN (0x06) of chip 0, with its echo, 0x55 as sync: the high nibble is free.
        assert_eq!(crc8(&[0x55, 0x00, 0x06]), 0xE8);
        assert_eq!(crc8(&[0x05, 0xFF, 0x06, 0x21, 0x00, 0x02, 0x41]), 0x9D);
        let heard = [0x55, 0x00, 0x06, 0xE8, 0x05, 0xFF, 0x06, 0x21, 0x00, 0x02, 0x41, 0x9D];
        assert_eq!(find_reply(&heard, 0x06), Some(0x2100_0241));
        // A write of GCONF that a forum has found to work.
        assert_eq!(crc8(&[0x05, 0x00, 0xEC, 0x10, 0x00, 0x00, 0x53]), 0x9C);
        assert_eq!(write(0, 0x6C, 0x1000_0053), [0x05, 0x00, 0xEC, 0x10, 0x00, 0x00, 0x53, 0x9C]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_asked_is_heard(address in 0..4_u8, register in 0..128_u8, value: u32) {
            let request = Request::Write { address, register, value };
            proptest::prop_assert_eq!(hear(&write(address, register, value)), Heard::Request(request));
            let request = Request::Read { address, register };
            proptest::prop_assert_eq!(hear(&read(address, register)), Heard::Request(request));
            for cut in 0..LENGTH {
                proptest::prop_assert_eq!(hear(&write(address, register, value)[..cut]), Heard::Nothing);
            }
        }

        #[test]
        fn a_reply_is_found_behind_its_echo_and_noise(
            noise in proptest::collection::vec(0..5_u8, 0..9), address in 0..4_u8, register in 0..128_u8, value: u32,
        ) {
            let bytes = [&noise[..], &read(address, register), &reply(register, value)].concat();
            proptest::prop_assert_eq!(find_reply(&bytes, register), Some(value));
            proptest::prop_assert_eq!(find_reply(&bytes, register ^ 1), None);
            proptest::prop_assert_eq!(find_reply(&bytes[..bytes.len() - 1], register), None);
        }

        /// The checksum finds every error of one bit, and of two that are near each other.
        #[test]
        fn a_bit_that_is_wrong_is_no_reply(register in 0..128_u8, value: u32, bit in 0..64_usize, near in 0..2_usize) {
            let mut bytes = reply(register, value);
            for bit in bit..=(bit + near).min(63) {
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            proptest::prop_assert_eq!(find_reply(&bytes, register), None);
        }

        #[test]
        fn no_bytes_bring_a_chip_down(bytes in proptest::collection::vec(0..=255_u8, 0..32)) {
            let mut rest = &bytes[..];
            loop {
                let taken = match hear(rest) {
                    Heard::Nothing => break,
                    Heard::Noise(taken) => taken,
                    Heard::Request(Request::Read { .. }) => READ_LENGTH,
                    Heard::Request(Request::Write { .. }) => LENGTH,
                };
                rest = &rest[taken..];
            }
            proptest::prop_assert!(rest.len() < LENGTH);
        }
    }
}
