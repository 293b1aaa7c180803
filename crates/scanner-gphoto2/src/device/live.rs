//! What a camera shows on its own screen, for whoever looks.

use std::time::{Duration, Instant};

use scanner::camera_driver::host::{DeviceError, FileFrames, FileMemory, LiveGate, RawFrame};
use scanner::camera_driver::protocol::Stream;
use scanner::clock::now_ns;
use scanner::model::{FileKind, Size};
use scanner::units::FramesPerSecond;

use super::{Gphoto, SHORT};
use crate::failure::NOT_SUPPORTED;

/// Live frames that the daemon may hold at once.
const MOST: u32 = 3;
/// A camera shows what it saw before it was asked, but not longer ago than this.
const LAG_NS: u64 = 250_000_000;
/// The next one is asked for so much later than one that was not to be had.
const PAUSE: Duration = Duration::from_secs(2);
/// The setting that switches the screen on and off, where there is one.
const VIEWFINDER: &str = "viewfinder";
/// Ends a JPEG.
const END: [u8; 2] = [0xFF, 0xD9];

/// Live frames: who wants them, and what became of them.
pub(super) struct LiveView {
    gate: Option<LiveGate>,
    frames: FileFrames,
    /// The camera shows something, since it was asked for that.
    shows: bool,
    /// It gives none before then.
    pause: Option<Instant>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The last one came, or none was asked for yet.
    Works,
    /// The last one did not, and that was said.
    Fails,
    /// This camera has none.
    Never,
}

impl Default for LiveView {
    fn default() -> Self {
        let frames = FileFrames::new(MOST);
        Self { gate: None, frames, shows: false, pause: None, state: State::Works }
    }
}

impl LiveView {
    /// They are wanted at this rate, if at all.
    pub(super) fn wanted(&mut self, rate: Option<FramesPerSecond>) {
        self.gate = rate.and_then(LiveGate::new);
    }

    /// The daemon has done with one.
    pub(super) fn release(&mut self, buffer: u64) {
        self.frames.release(buffer);
    }

    /// The camera was closed.
    pub(super) fn closed(&mut self) {
        self.shows = false;
    }

    /// Whether one is to be asked for now.
    fn is_due(&mut self, now_ns: u64) -> bool {
        self.state != State::Never
            && self.pause.is_none_or(|end| end <= Instant::now())
            && self.frames.has_room()
            && self.gate.as_mut().is_some_and(|gate| gate.admits(now_ns))
    }
}

impl Gphoto {
    /// A live frame, if one is due. One that is not to be had is no failure of the camera: what it is for are photographs.
    pub(super) fn look(&mut self) -> Result<Option<RawFrame>, DeviceError> {
        if self.live.gate.is_none() {
            self.show_no_more();
            return Ok(None);
        }
        let usual = self.options.release_time.duration();
        let at_work = self.release.is_some() || self.unfinished.is_some_and(|since| since.elapsed() < usual);
        let asked_ns = now_ns();
        if at_work || !self.live.is_due(asked_ns) {
            return Ok(None);
        }
        self.busy(SHORT);
        self.live.shows = true;
        match self.camera()?.preview(|bytes| image(bytes).map(|(jpeg, size)| (in_memory(jpeg), size))) {
            Ok(Some((memory, size))) => {
                (self.live.state, self.live.pause) = (State::Works, None);
                self.live_frame(memory?, size, asked_ns).map(Some)
            }
            Ok(None) => {
                self.missing(false, "it is no JPEG");
                Ok(None)
            }
            Err(failure) => {
                self.missing(failure.code == NOT_SUPPORTED, &format!("{} ({})", failure.text, failure.code));
                Ok(None)
            }
        }
    }

    /// No live frame came, as is said once.
    fn missing(&mut self, never: bool, why: &str) {
        if self.live.state == State::Works {
            tracing::warn!("{} gives no live frame: {why}", self.found.model);
        }
        self.live.state = if never { State::Never } else { State::Fails };
        self.live.pause = Some(Instant::now() + PAUSE);
    }

    /// Nobody looks any more: the camera's screen is switched off, if it was switched on here.
    pub(super) fn show_no_more(&mut self) {
        if !std::mem::take(&mut self.live.shows) {
            return;
        }
        self.busy(SHORT);
        if let Some(camera) = &self.camera
            && let Err(failure) = camera.set(VIEWFINDER, "0")
        {
            // Many have no such setting, and switch it off when they are closed.
            tracing::debug!("the screen stays on: {}", failure.text);
        }
    }

    fn live_frame(&mut self, memory: FileMemory, size: Size, asked_ns: u64) -> Result<RawFrame, DeviceError> {
        let frame = self.hand_over(Stream::Live, size, asked_ns.saturating_sub(LAG_NS), memory)?;
        self.live.frames.take(frame.metadata.buffer);
        Ok(frame)
    }
}

/// The JPEG in what a camera gave, without what some have behind it, and its size.
fn image(bytes: &[u8]) -> Option<(&[u8], Size)> {
    let end = bytes.windows(END.len()).rposition(|two| two == END)? + END.len();
    let jpeg = &bytes[..end];
    let header = turbojpeg::read_header(jpeg).ok()?;
    Some((jpeg, Size { width: header.width as u32, height: header.height as u32 }))
}

fn in_memory(jpeg: &[u8]) -> Result<FileMemory, DeviceError> {
    let mut memory = FileMemory::new()?;
    memory.begin(FileKind::Jpeg);
    memory.write(jpeg)?;
    Ok(memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_an_image_is_left_and_what_is_no_image_is_none() {
        let pixels = [128_u8; 16 * 8 * 3];
        let format = turbojpeg::PixelFormat::RGB;
        let picture = turbojpeg::Image { pixels: &pixels[..], width: 16, pitch: 48, height: 8, format };
        let jpeg = turbojpeg::compress(picture, 90, turbojpeg::Subsamp::Sub2x2).unwrap();
        let size = Size { width: 16, height: 8 };
        assert_eq!(image(&jpeg), Some((&jpeg[..], size)));
        assert_eq!(image(&[&jpeg[..], b"more"].concat()), Some((&jpeg[..], size)));
        assert_eq!(image(&jpeg[..jpeg.len() / 2]), None);
        assert_eq!(image(b"no image \xFF\xD9"), None);
        assert_eq!(image(b""), None);
    }
}
