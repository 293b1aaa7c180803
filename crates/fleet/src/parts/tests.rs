use rustix::io::{pread, pwrite};
use scanner::camera_driver::host::{FileMemory, sealed_memory};
use scanner::camera_driver::protocol::{ExposedAt, FrameMetadata, Stream};
use scanner::model::{FileKind, PixelFormat, Size};
use std::sync::Arc;

use super::*;

const SIZE: Size = Size { width: 6, height: 4 };

fn frame(payload: Payload) -> Frame {
    let metadata = FrameMetadata {
        stream: Stream::Still,
        payload,
        exposed: ExposedAt::Sensor { sensor_timestamp_ns: 1 },
        exposure_us: None,
        readout_us: 0,
        gain: None,
        white_balance: None,
        focus: None,
        raw: None,
        completed_ns: 0,
        clock_uncertainty_us: None,
        sequence: 1,
        buffer: 9,
    };
    Frame { epoch: 1, request: Some(2), metadata }
}

/// Pixels with padding between rows, and behind them all.
fn pixels() -> Outgoing {
    let planes =
        Planes { format: PixelFormat::Yuv420, size: SIZE, strides: vec![8, 8, 8], offsets: vec![0, 32, 48] };
    let memory = sealed_memory(4096).unwrap();
    let bytes: Vec<u8> = (0..4096).map(|index: u32| (index * 7 + index / 256) as u8).collect();
    pwrite(&memory, &bytes, 0).unwrap();
    Outgoing::read(frame(Payload::Pixels(planes)), vec![memory]).unwrap()
}

fn send(mut outgoing: Outgoing, most: usize) -> Result<(Frame, Vec<OwnedFd>), String> {
    let mut incoming = Incoming::new(outgoing.begins.clone())?;
    while let Some((offset, bytes)) = outgoing.next(most) {
        match incoming.take(9, offset, &bytes)? {
            Came::More(more) => incoming = more,
            Came::Whole(frame, memory) => {
                assert!(outgoing.next(most).is_none());
                return Ok((frame, memory));
            }
        }
    }
    Err("not whole".into())
}

#[test]
fn pixels_come_as_they_lay_whatever_the_size_of_the_parts_and_none_behind_them() {
    for most in [1, 7, 32, 100_000] {
        let (frame, memory) = send(pixels(), most).unwrap();
        assert_eq!(frame.request, Some(2));
        let mut read = [0; 100];
        // The second of two rows of three, from 48 on.
        assert_eq!(pread(&memory[0], &mut read, 0).unwrap(), 48 + 8 + 3);
        assert_eq!(read[50], (50 * 7) as u8);
        assert!(pwrite(&memory[0], b"x", 0).is_err() && ftruncate(&memory[0], 1).is_err());
    }
}

#[test]
fn files_come_as_they_were() {
    let mut files = FileMemory::new().unwrap();
    files.begin(FileKind::Jpeg);
    files.write(b"an image").unwrap();
    let (files, memory) = files.seal().unwrap();
    let memory = Arc::into_inner(memory).unwrap();
    let outgoing = Outgoing::read(frame(Payload::Files(FilesInMemory { size: SIZE, files })), vec![memory]);
    let (_, memory) = send(outgoing.unwrap(), 3).unwrap();
    let mut read = [0; 20];
    assert_eq!(pread(&memory[0], &mut read, 0).unwrap(), 8);
    assert_eq!(&read[..8], b"an image");
}

#[test]
fn a_frame_that_is_not_whole_or_not_as_it_was_sent_is_none() {
    let begun = || Incoming::new(pixels().begins).unwrap();
    let (_, bytes) = pixels().next(59).unwrap();
    assert!(begun().take(9, 1, &bytes[1..]).unwrap_err().contains("from 1"), "a part was lost");
    assert!(begun().take(8, 0, &bytes).unwrap_err().contains("frame 8"));
    let mut wrong = bytes.to_vec();
    wrong[58] ^= 1;
    assert!(begun().take(9, 0, &wrong).unwrap_err().contains("checksum"));
    wrong.push(0);
    assert!(begun().take(9, 0, &wrong).is_err());
    assert!(matches!(begun().take(9, 0, &bytes[..58]), Ok(Came::More(_))));
}

#[test]
fn memory_is_not_made_for_what_cannot_be() {
    for lengths in [vec![], vec![0], vec![1, 1], vec![u64::MAX], vec![LONGEST + 1]] {
        let begins = FrameBegins { lengths, ..pixels().begins };
        assert!(Incoming::new(begins).is_err());
    }
}

#[test]
fn pixels_beyond_their_memory_are_not_read() {
    let planes = Planes {
        format: PixelFormat::Yuv420,
        size: SIZE,
        strides: vec![8, 8, 8],
        offsets: vec![0, 32, 4090],
    };
    let frame = frame(Payload::Pixels(planes));
    assert!(Outgoing::read(frame.clone(), vec![sealed_memory(4096).unwrap()]).is_err());
    assert!(Outgoing::read(frame.clone(), Vec::new()).is_err());
    let file = OwnedFd::from(tempfile::tempfile().unwrap());
    assert!(Outgoing::read(frame, vec![file]).is_err());
}
