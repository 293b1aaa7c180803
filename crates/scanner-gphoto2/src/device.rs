//! A camera of libgphoto2 as a device of the protocol.

mod awake;
mod condition;
mod live;
mod opening;
mod release;
mod set;

use std::time::{Duration, Instant};

use live::LiveView;
use opening::{open, told_size};
use release::Release;
use scanner::camera_driver::host::{
    CaptureRequest, Configured, Device, DeviceError, DriverArgs, FileFrames, Notice, RawFrame, parse_options,
};
use scanner::camera_driver::protocol::{Condition, Configure, ErrorKind, Hello, Timestamps, VERSION};
use scanner::model::{Controls, Size};
use scanner::units::FramesPerSecond;

use super::camera::{Camera, Event, Place};
use super::controls::{Chosen, Offered, unknown};
use super::failure::Failure;
use super::found::{Found, find, find_again};
use super::network;
use super::options::Options;
use super::simulated;

/// Longest wait for an event, so that commands are noticed.
const LOOK: Duration = Duration::from_millis(100);
/// A call that fetches no whole file takes no longer than this, unless it hangs.
const SHORT: Duration = Duration::from_secs(5);
/// What is left of earlier releases is fetched from a camera in so many events at most.
const LEFT_OVER: usize = 200;

/// The device of `scanner-gphoto2`.
pub(crate) struct Gphoto {
    options: Options,
    found: Found,
    hello: Hello,
    /// None before `configure`, and after an error: then the next start opens it anew.
    camera: Option<Camera>,
    offered: Offered,
    /// What is to be set besides exposure time and ISO.
    others: Vec<Chosen>,
    /// What is to be set.
    controls: Controls,
    /// What the camera is at of that, as it says.
    at: Controls,
    size: Size,
    notice: Option<Notice>,
    wanted: Option<CaptureRequest>,
    release: Option<Release>,
    /// Files that are here, and are still to be removed from the camera.
    done_with: Vec<Place>,
    /// When the latest release was, unless it became a frame: its files may still come. That of an earlier process may, too.
    unfinished: Option<Instant>,
    /// Battery, card and lens, when they were looked at last.
    condition: Option<Condition>,
    frames: FileFrames,
    live: LiveView,
    /// When the camera was last asked something.
    looked: Instant,
    /// Of stills, in this process.
    sequence: u64,
    /// The last memory that was handed over, of stills and live frames.
    buffer: u64,
}

/// Builds the device from the driver's command line.
pub(crate) fn build(args: &DriverArgs) -> Result<Gphoto, DeviceError> {
    let options: Options = parse_options(&args.options)?;
    options.check()?;
    if options.simulated.is_some() && network::address(&args.camera)?.is_some() {
        let message = "option simulated: a simulated DSLR at a network is a program of its own: start scanner-dslr, and leave \
                       [camera.options.simulated] out";
        return Err(DeviceError::invalid(message));
    }
    let simulated_node = options.simulated.as_ref().map(simulated::install).transpose()?.flatten();
    let mut found = match &args.reset {
        Some(port) => find_again(&args.camera, port)?,
        None => find(&args.camera)?,
    };
    let asked = options.size.is_none() || found.is_at_network();
    // Where it cannot be opened, nothing more can be said of it than where it is.
    let devices: Vec<_> = simulated_node.or_else(|| found.node()).into_iter().collect();
    let opened = asked.then(|| open(&found, &options)).transpose();
    let camera = opened.map_err(|error| DeviceError { devices: devices.clone(), ..error })?;
    if let Some(camera) = &camera {
        found.named_by(camera);
    }
    let offered = camera.as_ref().map(Offered::by);
    let others = camera.as_ref().map(|camera| set::others(camera, &options)).transpose()?;
    let told = || camera.as_ref().map(told_size).transpose();
    let size = options.size.map_or_else(told, |size| Ok(Some(size)))?.unwrap_or(Size { width: 0, height: 0 });
    let hello = Hello {
        protocol: VERSION,
        driver: concat!("scanner-gphoto2 ", env!("CARGO_PKG_VERSION")).into(),
        camera: args.camera.clone(),
        model: found.model.clone(),
        sensor: size,
        pixel_pitch_um: options.pixel_pitch.map_or(0.0, |pitch| pitch.get() * 1000.0),
        formats: Vec::new(),
        files: options.files.clone(),
        modes: Vec::new(),
        controls: offered.as_ref().map_or_else(unknown, Offered::controls),
        devices,
        live_beside_stills: true,
        raw: false,
        bayer: None,
        longest_call_ms: u64::try_from(options.longest_call.duration().as_millis()).unwrap_or(u64::MAX),
        timestamps: Timestamps::Trigger,
        reset: found.resettable(),
    };
    Ok(Gphoto {
        options,
        found,
        hello,
        camera,
        offered: offered.unwrap_or_default(),
        others: others.unwrap_or_default(),
        controls: Controls::default(),
        at: Controls::default(),
        size,
        notice: None,
        wanted: None,
        release: None,
        done_with: Vec::new(),
        unfinished: Some(Instant::now()),
        condition: None,
        frames: FileFrames::new(0),
        live: LiveView::default(),
        looked: Instant::now(),
        sequence: 0,
        buffer: 0,
    })
}

impl Gphoto {
    /// A call into the camera begins that may take so long.
    fn busy(&self, time: Duration) {
        if let Some(notice) = &self.notice {
            notice.busy_for(time.min(self.longest_call()));
        }
    }

    fn longest_call(&self) -> Duration {
        self.options.longest_call.duration()
    }

    /// How long files may be in coming: an exposure, and then as long as they usually take.
    fn patience(&self) -> Duration {
        self.longest_call().saturating_add(self.options.release_time.duration())
    }

    /// What is said of a call that failed.
    fn failed(&mut self, what: &str, failure: Failure) -> DeviceError {
        self.closed();
        failure.explain(&format!("{what} {}", self.found.model))
    }

    /// It is opened anew before it is used again.
    fn closed(&mut self) {
        self.release = None;
        self.done_with.clear();
        self.camera = None;
        self.live.closed();
    }

    fn camera(&self) -> Result<&Camera, DeviceError> {
        self.camera.as_ref().ok_or_else(|| {
            DeviceError::new(ErrorKind::Timeout, "it is to be started anew, since a call into it has failed")
        })
    }

    /// Fetches what is left of earlier releases: else it would be taken for that of the next one.
    fn clear(&mut self) -> Result<(), DeviceError> {
        for _ in 0..LEFT_OVER {
            // With some cameras, a file comes with the event that tells of it.
            let files = self.unfinished.is_some_and(|since| since.elapsed() < self.patience());
            self.busy(if files { self.longest_call() } else { SHORT });
            match self.camera()?.wait(Duration::from_millis(1)) {
                Ok(Event::Nothing) => return Ok(()),
                Ok(Event::Added(place)) => {
                    tracing::info!("{} is of an earlier release: it is not fetched", place.name);
                    self.let_go(&place);
                }
                Ok(Event::Complete | Event::Other) => {}
                Err(failure) => return Err(self.failed("asking for events of", failure)),
            }
        }
        Ok(())
    }

    /// Removes a file from the camera, unless it is to stay there.
    fn let_go(&self, place: &Place) {
        if !self.options.keep_in_camera
            && let Some(camera) = &self.camera
            && let Err(failure) = camera.remove(place)
        {
            // What it kept in its memory alone is gone once it was fetched.
            tracing::debug!("{} stays in the camera: {}", place.name, failure.text);
        }
    }

    /// Removes what is here from the camera, and looks how it is. libgphoto2 waits for 150 ms after each file: so that is done while
    /// the axes move, where they do.
    fn tidy(&mut self) {
        if self.done_with.is_empty() {
            return;
        }
        for place in std::mem::take(&mut self.done_with) {
            self.busy(SHORT);
            self.let_go(&place);
        }
        self.examine();
    }

    /// No photograph is wanted: keeps the camera awake, and shows what it shows to whoever looks.
    fn idle(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        if self.camera.is_some() {
            if !self.done_with.is_empty() {
                self.tidy();
                return Ok(None);
            }
            if self.is_to_be_kept_awake() {
                self.keep_awake()?;
                return Ok(None);
            }
            if let Some(frame) = self.look()? {
                return Ok(Some(frame));
            }
        }
        std::thread::sleep(timeout.min(Duration::from_millis(5)));
        Ok(None)
    }
}

impl Device for Gphoto {
    fn hello(&self) -> Hello {
        self.hello.clone()
    }

    fn attach(&mut self, notice: Notice) {
        self.notice = Some(notice);
    }

    fn configure(&mut self, wanted: &Configure) -> Result<Configured, DeviceError> {
        if wanted.size != self.size {
            let (wanted, Size { width, height }) = (wanted.size, self.size);
            return Err(DeviceError::invalid(format!(
                "size {}x{}: this camera makes {width}x{height}; configure that, or set another size in the camera",
                wanted.width, wanted.height
            )));
        }
        self.frames = FileFrames::new(wanted.buffers);
        self.controls = wanted.controls;
        self.opened()?;
        self.adjust()?;
        Ok(Configured {
            frame_duration: self.options.release_time.duration(),
            live: wanted.live,
            controls: Some(self.offered.controls()),
            field_of_view: None,
            bayer: None,
        })
    }

    fn start(&mut self, _epoch: u64) -> Result<(), DeviceError> {
        self.release = None;
        self.awaken()?;
        self.examine();
        Ok(())
    }

    fn stop(&mut self) -> Result<(), DeviceError> {
        // What was given up leaves events and files behind, which the next start fetches.
        self.release = None;
        self.tidy();
        self.show_no_more();
        Ok(())
    }

    fn set(&mut self, controls: &Controls) -> Result<(), DeviceError> {
        self.controls = controls.over(self.controls);
        self.adjust()
    }

    /// What it finds by itself, it finds anew at each release, unless it is set to manual.
    fn converge(&mut self, fixed: &Controls) -> Result<(), DeviceError> {
        self.set(fixed)
    }

    fn converged(&mut self) -> Option<Result<Controls, DeviceError>> {
        Some(Ok(self.at))
    }

    fn condition(&self) -> Option<Condition> {
        self.condition.clone()
    }

    fn live(&mut self, rate: Option<FramesPerSecond>) {
        self.live.wanted(rate);
    }

    fn wanted(&mut self, capture: Option<&CaptureRequest>) {
        self.wanted = capture.copied();
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        let Some(capture) = self.wanted else { return self.idle(timeout) };
        self.looked = Instant::now();
        match self.release.take() {
            Some(release) if release.capture == (capture.epoch, capture.request) => {
                self.go_on(release, timeout)
            }
            Some(_) | None if self.frames.has_room() => self.trigger(capture).map(|()| None),
            Some(_) | None => {
                std::thread::sleep(timeout.min(LOOK));
                Ok(None)
            }
        }
    }

    fn release(&mut self, buffer: u64) {
        self.frames.release(buffer);
        self.live.release(buffer);
    }
}
