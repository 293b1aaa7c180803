//! The streams of a configured camera: their requests, and the memory in which frames leave.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use libcamera::camera::{ActiveCamera, CameraConfiguration, CameraConfigurationStatus, Orientation};
use libcamera::color_space::ColorSpace;
use libcamera::framebuffer_allocator::FrameBufferAllocator;
use libcamera::geometry;
use libcamera::request::Request;
use libcamera::stream::{Stream, StreamRole};
use scanner::camera_driver::host::{DeviceError, Layout, Pool};
use scanner::camera_driver::protocol::Configure;
use scanner::model::{self, PixelFormat, Size};

use super::buffers::{Buffers, Mapped, copy};
use super::capabilities::{FORMATS, fourcc};
use super::failure::failed;
use super::raw_stream::{Raw, choose_raw};

/// Buffers that a camera needs for itself, so that it never waits for one.
pub(crate) const STREAMING: usize = 3;
/// Live frames that the daemon may hold at once.
const LIVE_BUFFERS: u32 = 3;

/// What becomes of a request whose still is handed over.
pub(crate) enum HandedOver {
    /// It waits until its buffer is given back.
    Lent,
    /// It is free; the copy, unless all memory for copies is held.
    Copied(Option<Arc<OwnedFd>>),
}

/// How a still's memory leaves this process.
#[derive(Debug)]
enum Way {
    /// The camera's own buffer, by its descriptor; its request waits until it is given back.
    Lend,
    /// A copy, where the camera has too few buffers to lend any.
    Copy(Pool),
}

/// The streams of a camera, and its requests. libcamera wants requests gone before their memory: fields are
/// dropped in this order.
pub(crate) struct Streams {
    /// Not with the camera.
    pub(crate) idle: Vec<Request>,
    /// Whose still the daemon has, by the frame's number.
    pub(crate) lent: HashMap<u64, Request>,
    pub(crate) still: Still,
    pub(crate) live: Option<Live>,
    pub(crate) raw: Option<Raw>,
    _allocator: FrameBufferAllocator,
}

/// The stream of stills.
pub(crate) struct Still {
    stream: Stream,
    /// By cookie: the buffer's descriptor, and offsets of its planes.
    memory: Vec<(Arc<OwnedFd>, Vec<u64>)>,
    pub(crate) layout: Layout,
    way: Way,
}

/// The stream of low-resolution frames, which are small and always copied.
pub(crate) struct Live {
    stream: Stream,
    memory: Vec<(Arc<OwnedFd>, Vec<u64>)>,
    pub(crate) pool: Pool,
}

impl Streams {
    /// Configures the camera with `count` buffers a stream, or as many as it likes better.
    pub(crate) fn new(
        camera: &mut ActiveCamera<'_>,
        wanted: &Configure,
        count: usize,
    ) -> Result<Self, DeviceError> {
        let live_role = wanted.live.map(|_| StreamRole::ViewFinder);
        let raw_role = wanted.raw.then_some(StreamRole::Raw);
        let roles: Vec<StreamRole> =
            [StreamRole::StillCapture].into_iter().chain(live_role).chain(raw_role).collect();
        let Some(mut config) = camera.generate_configuration(&roles) else {
            return Err(DeviceError::invalid(format!("this camera has no streams for {roles:?}")));
        };
        let still = choose_still(&mut config, wanted, count)?;
        let live = wanted.live.map(|size| choose_live(&mut config, size, count)).transpose()?;
        let orientation = orientation(wanted.orientation);
        config.set_orientation(orientation);
        let raw_index = wanted.raw.then(|| roles.len() - 1);
        let (status, bayer) = match raw_index {
            None => (config.validate(), None),
            Some(index) => {
                let (status, bayer) = choose_raw(&mut config, index, wanted.size, count)?;
                (status, Some(bayer))
            }
        };
        check_still(&config, status, wanted, still)?;
        if config.orientation() != orientation {
            return Err(DeviceError::invalid(format!(
                "orientation {:?}: this camera cannot turn its images so; it would make them {:?}",
                wanted.orientation,
                config.orientation()
            )));
        }
        camera.configure(&mut config).map_err(|error| failed("configuring the camera", &error))?;
        let mut allocator = FrameBufferAllocator::new(camera);
        let stills = Buffers::new(&mut allocator, &config, 0)?;
        let lives = live
            .map(|format| Buffers::new(&mut allocator, &config, 1).map(|buffers| (format, buffers)))
            .transpose()?;
        let raws = raw_index.map(|index| Buffers::new(&mut allocator, &config, index)).transpose()?;
        let layout = stills.layout(still);
        // Each request has one of both.
        let usable = raws.as_ref().map_or(usize::MAX, |raws| raws.mapped.len()).min(stills.mapped.len());
        let way = if usable >= wanted.buffers as usize + STREAMING {
            Way::Lend
        } else {
            tracing::info!(
                "the camera has {usable} buffers, too few to lend {} of them: stills are copied",
                wanted.buffers
            );
            Way::Copy(Pool::new(layout.clone(), wanted.buffers)?)
        };
        let (mut live, mut live_mapped) = (None, Vec::new());
        if let Some((format, lives)) = lives {
            let pool = Pool::new(lives.layout(format), LIVE_BUFFERS)?;
            live = Some(Live { stream: lives.stream, memory: lives.memory, pool });
            live_mapped = lives.mapped;
        }
        let (mut raw, mut raw_mapped) = (None, Vec::new());
        if let (Some(raws), Some(bayer)) = (raws, bayer) {
            let copies = matches!(way, Way::Copy(_)).then_some(wanted.buffers);
            let (stream, mapped) = Raw::new(raws, bayer, copies)?;
            (raw, raw_mapped) = (Some(stream), mapped);
        }
        let mut idle = Vec::new();
        let (mut live_mapped, mut raw_mapped) = (live_mapped.into_iter(), raw_mapped.into_iter());
        for (index, buffer) in stills.mapped.into_iter().take(usable).enumerate() {
            let Some(mut request) = camera.create_request(Some(index as u64)) else {
                return Err(DeviceError::invalid("libcamera makes no request: the camera is not configured"));
            };
            let added = |error: std::io::Error| failed("adding a buffer", &error);
            request.add_buffer(&stills.stream, buffer).map_err(added)?;
            // A request without a live frame would slow the live view down, but nothing else.
            if let (Some(live), Some(buffer)) = (&live, live_mapped.next()) {
                request.add_buffer(&live.stream, buffer).map_err(added)?;
            }
            if let (Some(raw), Some(buffer)) = (&raw, raw_mapped.next()) {
                request.add_buffer(&raw.stream, buffer).map_err(added)?;
            }
            idle.push(request);
        }
        let still = Still { stream: stills.stream, memory: stills.memory, layout, way };
        Ok(Self { idle, lent: HashMap::new(), still, live, raw, _allocator: allocator })
    }

    /// Memory of copies that is `buffer` is free again.
    pub(crate) fn given_back(&mut self, buffer: u64) {
        if let Way::Copy(pool) = &mut self.still.way {
            pool.release(buffer);
        }
        if let Some(live) = &mut self.live {
            live.pool.release(buffer);
        }
        if let Some(raw) = &mut self.raw {
            raw.given_back(buffer);
        }
    }

    /// How many requests there are.
    pub(crate) fn count(&self) -> usize {
        self.still.memory.len()
    }

    /// Size of low-resolution frames.
    pub(crate) fn live_size(&self) -> Option<Size> {
        self.live.as_ref().map(|live| live.pool.layout().size)
    }
}

impl Still {
    /// A completed request's buffer, its descriptor, and offsets of its planes.
    pub(crate) fn of<'a>(&self, request: &'a Request) -> Option<(&'a Mapped, &Arc<OwnedFd>, &[u64])> {
        let (memory, offsets) = self.memory.get(usize::try_from(request.cookie()).ok()?)?;
        Some((request.buffer(&self.stream)?, memory, offsets))
    }

    /// Makes the still of a completed request ready to leave as `buffer`.
    pub(crate) fn hand_over(&mut self, request: &Request, buffer: u64) -> Result<HandedOver, DeviceError> {
        let Self { stream, memory, way, .. } = self;
        match way {
            Way::Lend => Ok(HandedOver::Lent),
            Way::Copy(pool) => {
                let memory = usize::try_from(request.cookie()).ok().and_then(|cookie| memory.get(cookie));
                let (Some((memory, _)), Some(mapped)) = (memory, request.buffer::<Mapped>(stream)) else {
                    return Ok(HandedOver::Copied(None));
                };
                copy(pool, buffer, mapped, memory).map(HandedOver::Copied)
            }
        }
    }
}

impl Live {
    /// A copy of a completed request's frame, which is `buffer`; none if it has none, or all memory is held.
    pub(crate) fn copy(
        &mut self,
        request: &Request,
        buffer: u64,
    ) -> Result<Option<Arc<OwnedFd>>, DeviceError> {
        let memory = usize::try_from(request.cookie()).ok().and_then(|cookie| self.memory.get(cookie));
        let (Some((memory, _)), Some(mapped)) = (memory, request.buffer::<Mapped>(&self.stream)) else {
            return Ok(None);
        };
        copy(&mut self.pool, buffer, mapped, memory)
    }
}

fn choose_still(
    config: &mut CameraConfiguration,
    wanted: &Configure,
    count: usize,
) -> Result<PixelFormat, DeviceError> {
    let Some(mut still) = config.get_mut(0) else {
        return Err(DeviceError::invalid("this camera has no still stream"));
    };
    let Some(format) = wanted.format else {
        return Err(DeviceError::invalid("no format: this camera makes pixels, and no files"));
    };
    still.set_pixel_format(fourcc(format));
    still.set_size(geometry::Size::new(wanted.size.width, wanted.size.height));
    still.set_color_space(Some(ColorSpace::sycc()));
    still.set_buffer_count(u32::try_from(count).unwrap_or(u32::MAX));
    Ok(format)
}

/// A live frame may have another size than is wanted, and any format that the daemon knows.
fn choose_live(
    config: &mut CameraConfiguration,
    size: Size,
    count: usize,
) -> Result<PixelFormat, DeviceError> {
    let Some(mut live) = config.get_mut(1) else {
        return Err(DeviceError::invalid("this camera has no live stream beside stills: set live = \"off\""));
    };
    let formats = live.formats();
    let offered =
        |format: &PixelFormat| formats.pixel_formats().into_iter().any(|offered| offered == fourcc(*format));
    let Some(format) = FORMATS.into_iter().find(offered) else {
        return Err(DeviceError::invalid(
            "this camera's live stream has no known format: set live = \"off\"",
        ));
    };
    live.set_pixel_format(fourcc(format));
    live.set_size(geometry::Size::new(size.width, size.height));
    live.set_color_space(Some(ColorSpace::sycc()));
    live.set_buffer_count(u32::try_from(count).unwrap_or(u32::MAX));
    Ok(format)
}

fn check_still(
    config: &CameraConfiguration,
    status: CameraConfigurationStatus,
    wanted: &Configure,
    format: PixelFormat,
) -> Result<(), DeviceError> {
    let Some(still) = config.get(0) else { return Err(DeviceError::invalid("no still stream is left")) };
    let (size, got, got_format) = (wanted.size, still.get_size(), still.get_pixel_format());
    if !matches!(status, CameraConfigurationStatus::Invalid)
        && (got.width, got.height) == (size.width, size.height)
        && got_format == fourcc(format)
    {
        return Ok(());
    }
    Err(DeviceError::invalid(format!(
        "this camera does not make {format:?} of {}x{}; the nearest that it makes is {got_format:?} of {}x{}",
        size.width, size.height, got.width, got.height
    )))
}

fn orientation(wanted: model::Orientation) -> Orientation {
    match wanted {
        model::Orientation::Normal => Orientation::Rotate0,
        model::Orientation::Rotate180 => Orientation::Rotate180,
        model::Orientation::Mirror => Orientation::Rotate0Mirror,
        model::Orientation::Flip => Orientation::Rotate180Mirror,
    }
}
