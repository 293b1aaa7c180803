//! A release of the shutter, until it is a frame.

use std::time::{Duration, Instant};

use scanner::camera_driver::host::{CaptureRequest, DeviceError, FileMemory, RawFrame};
use scanner::camera_driver::protocol::{ErrorKind, ExposedAt, FilesInMemory, FrameMetadata, Payload, Stream};
use scanner::clock::now_ns;
use scanner::model::{FileKind, Size};

use super::{Gphoto, LOOK, SHORT};
use crate::camera::{Event, PIECE, Place};
use crate::failure::NOT_SUPPORTED;
use crate::taken::{Said, said, sorted};
use crate::wishes::{Wishes, is_aperture};

/// As much of a JPEG as its EXIF may be in.
const HEAD: usize = 256 << 10;

/// A release of the shutter that has not become a frame yet.
pub(super) struct Release {
    /// Epoch and request.
    pub(super) capture: (u64, u64),
    triggered_ns: u64,
    found: Vec<Place>,
    stage: Stage,
}

enum Stage {
    /// Its files are being made, since then.
    Waiting(Instant),
    /// They are being read, one after the other.
    Reading { files: Vec<(FileKind, Place)>, at: usize, offset: u64, memory: FileMemory, head: Vec<u8> },
}

impl Gphoto {
    /// Releases the shutter for `capture`.
    pub(super) fn trigger(&mut self, capture: CaptureRequest) -> Result<(), DeviceError> {
        self.tidy();
        // Somebody may have turned a dial.
        self.awaken()?;
        self.busy(self.longest_call());
        self.unfinished = Some(Instant::now());
        let triggered_ns = now_ns();
        let triggered = self.camera()?.trigger();
        triggered.map_err(|failure| self.failed("triggering", failure))?;
        let capture = (capture.epoch, capture.request);
        let stage = Stage::Waiting(Instant::now());
        self.release = Some(Release { capture, triggered_ns, found: Vec::new(), stage });
        Ok(())
    }

    /// Goes on with `release`: a frame once it is whole.
    pub(super) fn go_on(
        &mut self,
        mut release: Release,
        time: Duration,
    ) -> Result<Option<RawFrame>, DeviceError> {
        match release.stage {
            Stage::Waiting(since) => {
                if since.elapsed() > self.patience() {
                    let (files, made) = (&self.options.files, release.found.len());
                    let message = format!(
                        "{} was released, and made {made} of {} files: does it focus or flash by itself, or is a lens cap on?",
                        self.found.model,
                        files.len()
                    );
                    return Err(DeviceError::new(ErrorKind::Timeout, message));
                }
                self.busy(self.longest_call());
                match self.camera()?.wait(time.min(LOOK)) {
                    Ok(Event::Added(place)) => release.found.push(place),
                    Ok(Event::Nothing | Event::Complete | Event::Other) => {}
                    Err(failure) => return Err(self.failed("waiting for the files of", failure)),
                }
                release.stage = match sorted(&release.found, &self.options.files)? {
                    Some(files) => Stage::Reading {
                        files,
                        at: 0,
                        offset: 0,
                        memory: FileMemory::new()?,
                        head: Vec::new(),
                    },
                    None => Stage::Waiting(since),
                };
                self.release = Some(release);
                Ok(None)
            }
            Stage::Reading { files, at, mut offset, mut memory, mut head } => {
                let (kind, place) = &files[at];
                if offset == 0 {
                    memory.begin(kind.clone());
                }
                let (part, is_last) = self.read(place, offset)?;
                memory.write(&part)?;
                if at == 0 && head.len() < HEAD {
                    head.extend_from_slice(&part[..part.len().min(HEAD - head.len())]);
                }
                offset += part.len() as u64;
                let (at, offset) = if is_last { (at + 1, 0) } else { (at, offset) };
                if at < files.len() {
                    release.stage = Stage::Reading { files, at, offset, memory, head };
                    self.release = Some(release);
                    return Ok(None);
                }
                self.done_with.extend(files.into_iter().map(|(_, place)| place));
                self.frame(release.triggered_ns, memory, &head).map(Some)
            }
        }
    }

    /// A piece of a file, and whether it is the last one; all of it, if it comes in one piece only.
    fn read(&mut self, place: &Place, offset: u64) -> Result<(Vec<u8>, bool), DeviceError> {
        let mut part = vec![0; PIECE];
        let mut length = 0;
        self.busy(SHORT);
        while length < PIECE {
            let camera = self.camera()?;
            match camera.read(place, offset + length as u64, &mut part[length..]) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(failure) if failure.code == NOT_SUPPORTED && offset == 0 && length == 0 => {
                    self.busy(self.longest_call());
                    let whole = camera.whole(place, |bytes| (bytes.to_vec(), true));
                    return whole.map_err(|failure| self.failed("reading a file of", failure));
                }
                Err(failure) => return Err(self.failed("reading a file of", failure)),
            }
        }
        part.truncate(length);
        Ok((part, length < PIECE))
    }

    fn frame(&mut self, triggered_ns: u64, memory: FileMemory, head: &[u8]) -> Result<RawFrame, DeviceError> {
        let Said { exposure_us, gain, aperture } = said(head);
        let set = Wishes::aperture_of(&self.others);
        if let (Some(set), Some(seen)) = (set, aperture)
            && !is_aperture(set, seen)
        {
            // What libgphoto2 remembers of its settings is old: it asks again once it has opened it anew.
            self.tidy();
            self.closed();
            let message =
                format!("its image was taken at f/{seen}, set is f/{set}: did somebody turn its dial?");
            return Err(DeviceError::new(ErrorKind::BadFrame, message));
        }
        let mut frame = self.hand_over(Stream::Still, self.size, triggered_ns, memory)?;
        self.unfinished = None;
        self.sequence += 1;
        self.frames.take(frame.metadata.buffer);
        frame.metadata.sequence = self.sequence;
        (frame.metadata.exposure_us, frame.metadata.gain) = (exposure_us, gain);
        Ok(frame)
    }

    /// The files in `memory` as a frame of `stream`, counted by its buffer.
    pub(super) fn hand_over(
        &mut self,
        stream: Stream,
        size: Size,
        triggered_ns: u64,
        memory: FileMemory,
    ) -> Result<RawFrame, DeviceError> {
        let (files, memory) = memory.seal()?;
        self.buffer += 1;
        let metadata = FrameMetadata {
            stream,
            payload: Payload::Files(FilesInMemory { size, files }),
            exposed: ExposedAt::Trigger { triggered_ns },
            exposure_us: None,
            readout_us: 0,
            gain: None,
            white_balance: None,
            focus: None,
            raw: None,
            completed_ns: now_ns(),
            clock_uncertainty_us: None,
            sequence: self.buffer,
            buffer: self.buffer,
        };
        Ok(RawFrame { metadata, memory, raw: None, valid: true, tamper: None })
    }
}
