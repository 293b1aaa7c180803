//! A camera of libgphoto2 as a device of the protocol.

mod release;

use std::time::{Duration, Instant};

use release::Release;
use scanner::camera_driver::host::{
    CaptureRequest, Configured, Device, DeviceError, DriverArgs, FileFrames, Notice, RawFrame, parse_options,
};
use scanner::camera_driver::protocol::{Configure, ErrorKind, Hello, Timestamps, VERSION};
use scanner::model::{Controls, Size};

use super::camera::{Camera, Event, Place};
use super::failure::Failure;
use super::found::{Found, find};
use super::options::Options;

/// Longest wait for an event, so that commands are noticed.
const LOOK: Duration = Duration::from_millis(100);
/// What is left of earlier releases is fetched from a camera in so many events at most.
const LEFT_OVER: usize = 200;
/// Between releases, events are fetched so often: some cameras go to sleep otherwise.
const KEEP_AWAKE: Duration = Duration::from_secs(5);

/// The device of `scanner-gphoto2`.
pub(crate) struct Gphoto {
    options: Options,
    found: Found,
    hello: Hello,
    /// None before `configure`, and after an error: then the next start opens it anew.
    camera: Option<Camera>,
    size: Size,
    notice: Option<Notice>,
    wanted: Option<CaptureRequest>,
    release: Option<Release>,
    frames: FileFrames,
    looked: Instant,
    sequence: u64,
}

/// Builds the device from the driver's command line.
pub(crate) fn build(args: &DriverArgs) -> Result<Gphoto, DeviceError> {
    let options: Options = parse_options(&args.options)?;
    options.check()?;
    let found = find(&args.camera)?;
    let camera = if options.size.is_none() { Some(open(&found, &options)?) } else { None };
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
        controls: Vec::new(),
        devices: found.node().into_iter().collect(),
        live_beside_stills: false,
        raw: false,
        longest_call_ms: u64::try_from(options.longest_call.duration().as_millis()).unwrap_or(u64::MAX),
        timestamps: Timestamps::Trigger,
    };
    let (notice, wanted, release) = (None, None, None);
    let (frames, looked) = (FileFrames::new(0), Instant::now());
    Ok(Gphoto { options, found, hello, camera, size, notice, wanted, release, frames, looked, sequence: 0 })
}

/// Opens the camera and sets what is to be set.
fn open(found: &Found, options: &Options) -> Result<Camera, DeviceError> {
    let Found { model, port } = found;
    let camera =
        Camera::open(port).map_err(|failure| failure.explain(&format!("opening {model} at {port}")))?;
    for (name, value) in &options.settings {
        let doing = format!("setting {name:?} of {model} to {value:?}");
        camera.set(name, value).map_err(|failure| failure.explain(&doing))?;
        let is = camera.setting(name).map_err(|failure| failure.explain(&doing))?;
        if is != *value {
            return Err(DeviceError::invalid(format!("{doing}: it says {is:?} after that")));
        }
    }
    Ok(camera)
}

/// The size of the images, where the camera says it as `6000x4000`.
fn told_size(camera: &Camera) -> Result<Size, DeviceError> {
    let told = camera.setting("imagesize").unwrap_or_default();
    let sides = told.split_once('x').and_then(|(width, height)| {
        Some(Size { width: width.trim().parse().ok()?, height: height.trim().parse().ok()? })
    });
    sides.filter(|size| size.width > 0 && size.height > 0).ok_or_else(|| {
        let message =
            "the camera does not say how large its images are: set the option size to that of its JPEGs";
        DeviceError::invalid(message)
    })
}

impl Gphoto {
    /// A call into the camera begins that may take long.
    fn busy(&self) {
        if let Some(notice) = &self.notice {
            notice.busy_for(self.options.longest_call.duration());
        }
    }

    /// What is said of a call that failed. The camera is opened anew before it is used again.
    fn failed(&mut self, what: &str, failure: Failure) -> DeviceError {
        self.release = None;
        self.camera = None;
        failure.explain(&format!("{what} {}", self.found.model))
    }

    fn camera(&self) -> Result<&Camera, DeviceError> {
        self.camera.as_ref().ok_or_else(|| {
            DeviceError::new(ErrorKind::Timeout, "it is to be started anew, since a call into it has failed")
        })
    }

    /// Fetches what is left of earlier releases: else it would be taken for that of the next one.
    fn clear(&mut self) -> Result<(), DeviceError> {
        for _ in 0..LEFT_OVER {
            self.busy();
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
        Ok(Configured {
            frame_duration: self.options.release_time.duration(),
            live: None,
            controls: None,
            field_of_view: None,
        })
    }

    fn start(&mut self, _epoch: u64) -> Result<(), DeviceError> {
        self.release = None;
        if self.camera.is_none() {
            self.busy();
            self.camera = Some(open(&self.found, &self.options)?);
        }
        self.clear()
    }

    fn stop(&mut self) -> Result<(), DeviceError> {
        // What was given up leaves events and files behind, which the next start fetches.
        self.release = None;
        Ok(())
    }

    fn set(&mut self, _controls: &Controls) -> Result<(), DeviceError> {
        Ok(())
    }

    fn converge(&mut self, _fixed: &Controls) -> Result<(), DeviceError> {
        Ok(())
    }

    /// What it finds by itself, it finds anew at each release, unless it is set to manual.
    fn converged(&mut self) -> Option<Result<Controls, DeviceError>> {
        Some(Ok(Controls::default()))
    }

    fn wanted(&mut self, capture: Option<&CaptureRequest>) {
        self.wanted = capture.copied();
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Option<RawFrame>, DeviceError> {
        let Some(capture) = self.wanted else {
            if self.looked.elapsed() >= KEEP_AWAKE && self.camera.is_some() {
                self.looked = Instant::now();
                return self.clear().map(|()| None);
            }
            std::thread::sleep(timeout.min(Duration::from_millis(5)));
            return Ok(None);
        };
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
    }
}
