//! A camera that is open, as Rust sees it.
#![expect(unsafe_code, reason = "libgphoto2 is a C library")]

mod port;
mod setting;

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::ptr::{NonNull, null, null_mut};
use std::time::{Duration, Instant};

pub(crate) use port::reset;
use port::{Ports, network_abilities};
pub(crate) use setting::Takes;

use super::failure::Failure;
use super::library as gp;
use super::network;

/// Pieces that are read at once.
pub(crate) const PIECE: usize = 1 << 20;

/// The longest pause where libgphoto2 should wait, and does not: nobody wakes who sleeps.
const PAUSE: Duration = Duration::from_millis(10);

/// libgphoto2's surroundings of a call, and what it last said of errors.
pub(crate) struct Context {
    raw: NonNull<gp::Context>,
    said: Box<RefCell<String>>,
}

/// Something that a camera tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing in this time.
    Nothing,
    /// There is a new file.
    Added(Place),
    /// The release is over.
    Complete,
    /// Anything else.
    Other,
}

/// Where a file is in a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) folder: String,
    pub(crate) name: String,
}

/// A camera that is open.
pub(crate) struct Camera {
    raw: NonNull<gp::Camera>,
    context: Context,
    /// Behind the camera's port.
    _ports: Ports,
}

type Done<T> = Result<T, Failure>;

impl Context {
    /// Anew.
    pub(crate) fn new() -> Done<Self> {
        // SAFETY: no preconditions; the result may be null.
        let raw = NonNull::new(unsafe { gp::gp_context_new() }).ok_or_else(no_memory)?;
        let said = Box::new(RefCell::new(String::new()));
        let data: *const RefCell<String> = &raw const *said;
        // SAFETY: the context is valid; what `data` points to lives in a box of its own for as long as the context.
        unsafe { gp::gp_context_set_error_func(raw.as_ptr(), Some(note_error), data.cast_mut().cast()) };
        Ok(Self { raw, said })
    }

    fn get(&self) -> *mut gp::Context {
        self.said.borrow_mut().clear();
        self.raw.as_ptr()
    }

    /// What a call gave that went well, or why it did not.
    fn check(&self, code: c_int) -> Done<c_int> {
        if code >= 0 {
            return Ok(code);
        }
        let said = self.said.borrow().trim().to_owned();
        // SAFETY: the text of a result lives for ever.
        let usual = unsafe { text(gp::gp_port_result_as_string(code)) };
        Err(Failure { code, text: if said.is_empty() { usual } else { said } })
    }

    /// The model and the port of each camera that is there.
    pub(crate) fn cameras(&self) -> Done<Vec<(String, String)>> {
        let mut list = null_mut();
        // SAFETY: a new list is written to `list`, and freed below; its texts are copied before.
        unsafe {
            self.check(gp::gp_list_new(&raw mut list))?;
            let found = self.check(gp::gp_camera_autodetect(list, self.get())).map(|_| {
                let count = gp::gp_list_count(list).max(0);
                (0..count)
                    .map(|index| {
                        let (mut name, mut value) = (null(), null());
                        gp::gp_list_get_name(list, index, &raw mut name);
                        gp::gp_list_get_value(list, index, &raw mut value);
                        (text(name), text(value))
                    })
                    .collect()
            });
            gp::gp_list_free(list);
            found
        }
    }
}

extern "C" fn note_error(_: *mut gp::Context, said: *const c_char, data: *mut c_void) {
    // SAFETY: `data` is the text of the context, which lives, and which nobody has borrowed while the library is called.
    let (note, said) = unsafe { (&*data.cast::<RefCell<String>>(), text(said)) };
    if let Ok(mut note) = note.try_borrow_mut() {
        note.push_str(&said);
        note.push(' ');
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it is valid, and not used afterwards.
        unsafe { gp::gp_context_unref(self.raw.as_ptr()) };
    }
}

impl Camera {
    /// Opens the camera at `port`.
    pub(crate) fn open(port: &str) -> Done<Self> {
        let context = Context::new()?;
        let ports = Ports::load(&context)?;
        let info = ports.find(port, &context)?;
        let mut raw = null_mut();
        // SAFETY: the camera is made here, and belongs to a value that frees it once; the port's info belongs to the list.
        unsafe {
            context.check(gp::gp_camera_new(&raw mut raw))?;
            let camera = Self { raw: NonNull::new(raw).ok_or_else(no_memory)?, context, _ports: ports };
            camera.context.check(gp::gp_camera_set_port_info(raw, info))?;
            if network::is_at_one(port) {
                network::introduce();
                let abilities = network_abilities(&camera.context)?;
                camera.context.check(gp::gp_camera_set_abilities(raw, abilities))?;
            }
            camera.context.check(gp::gp_camera_init(raw, camera.context.get()))?;
            Ok(camera)
        }
    }

    /// Releases the shutter. May take as long as the exposure.
    pub(crate) fn trigger(&self) -> Done<()> {
        // SAFETY: camera and context are valid.
        let code = unsafe { gp::gp_camera_trigger_capture(self.raw.as_ptr(), self.context.get()) };
        self.context.check(code).map(drop)
    }

    /// What the camera tells next, for so long. Some cameras send a whole file meanwhile.
    pub(crate) fn wait(&self, time: Duration) -> Done<Event> {
        let begin = Instant::now();
        let (mut kind, mut data) = (gp::EVENT_TIMEOUT, null_mut());
        let milliseconds = c_int::try_from(time.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: camera and context are valid; what the event says is freed here, once, and of the kind that it says.
        unsafe {
            let (camera, context) = (self.raw.as_ptr(), self.context.get());
            let code =
                gp::gp_camera_wait_for_event(camera, milliseconds, &raw mut kind, &raw mut data, context);
            let event = self.context.check(code).map(|_| match kind {
                gp::EVENT_TIMEOUT => Event::Nothing,
                gp::EVENT_CAPTURE_COMPLETE => Event::Complete,
                gp::EVENT_FILE_ADDED if !data.is_null() => {
                    let path = &*data.cast::<gp::FilePath>();
                    Event::Added(Place { folder: text(path.folder.as_ptr()), name: text(path.name.as_ptr()) })
                }
                _ => Event::Other,
            });
            libc::free(data);
            if event == Ok(Event::Nothing) {
                // At a network, libgphoto2 does not wait.
                std::thread::sleep(time.saturating_sub(begin.elapsed()).min(PAUSE));
            }
            event
        }
    }

    /// Reads from `offset` on: how much was read, 0 at the end.
    ///
    /// # Errors
    /// [`NOT_SUPPORTED`](super::failure::NOT_SUPPORTED) of a camera that gives whole files only.
    pub(crate) fn read(&self, place: &Place, offset: u64, to: &mut [u8]) -> Done<usize> {
        let (folder, name) = (c_text(&place.folder)?, c_text(&place.name)?);
        let mut size = to.len() as u64;
        // SAFETY: camera, context and texts are valid; at most `size` bytes are written to `to`.
        let code = unsafe {
            gp::gp_camera_file_read(
                self.raw.as_ptr(),
                folder.as_ptr(),
                name.as_ptr(),
                gp::NORMAL,
                offset,
                to.as_mut_ptr().cast(),
                &raw mut size,
                self.context.get(),
            )
        };
        self.context.check(code)?;
        Ok(usize::try_from(size).unwrap_or(0).min(to.len()))
    }

    /// Hands a whole file to `take`. Takes as long as it takes to come.
    pub(crate) fn whole<T>(&self, place: &Place, take: impl FnOnce(&[u8]) -> T) -> Done<T> {
        let (folder, name) = (c_text(&place.folder)?, c_text(&place.name)?);
        self.fetch(take, |to| {
            let (camera, context) = (self.raw.as_ptr(), self.context.get());
            // SAFETY: camera, context, texts and file are valid.
            unsafe { gp::gp_camera_file_get(camera, folder.as_ptr(), name.as_ptr(), gp::NORMAL, to, context) }
        })
    }

    /// Hands what the camera shows on its own screen to `take`: a JPEG, of most. Switches that on, where it has to be.
    pub(crate) fn preview<T>(&self, take: impl FnOnce(&[u8]) -> T) -> Done<T> {
        self.fetch(take, |to| {
            // SAFETY: camera, context and file are valid.
            unsafe { gp::gp_camera_capture_preview(self.raw.as_ptr(), to, self.context.get()) }
        })
    }

    /// Hands to `take` what `get` puts into the file of libgphoto2's that it is called with.
    fn fetch<T>(
        &self,
        take: impl FnOnce(&[u8]) -> T,
        get: impl FnOnce(*mut gp::CameraFile) -> c_int,
    ) -> Done<T> {
        let mut file = null_mut();
        // SAFETY: the file is made here and freed once, and its bytes are not used afterwards.
        unsafe {
            self.context.check(gp::gp_file_new(&raw mut file))?;
            let (mut data, mut size) = (null(), 0);
            let taken = self.context.check(get(file)).and_then(|_| {
                self.context.check(gp::gp_file_get_data_and_size(file, &raw mut data, &raw mut size))?;
                let bytes =
                    if data.is_null() { &[] } else { std::slice::from_raw_parts(data.cast(), size as usize) };
                Ok(take(bytes))
            });
            gp::gp_file_unref(file);
            taken
        }
    }

    /// Room where the camera keeps files, in bytes; none if it does not say.
    pub(crate) fn room(&self) -> Done<Option<u64>> {
        let (mut storages, mut count): (*mut gp::Storage, c_int) = (null_mut(), 0);
        // SAFETY: camera and context are valid; a list of `count` is written to `storages`, and freed here, once.
        unsafe {
            let (camera, context) = (self.raw.as_ptr(), self.context.get());
            self.context.check(gp::gp_camera_get_storageinfo(
                camera,
                &raw mut storages,
                &raw mut count,
                context,
            ))?;
            let all: &[gp::Storage] = if storages.is_null() {
                &[]
            } else {
                std::slice::from_raw_parts(storages, usize::try_from(count).unwrap_or(0))
            };
            let known = all.iter().filter(|storage| storage.fields & gp::STORAGE_FREE != 0);
            let free = known.map(|storage| storage.free_kb.saturating_mul(1024)).reduce(u64::saturating_add);
            libc::free(storages.cast());
            Ok(free)
        }
    }

    /// Removes a file from the camera.
    pub(crate) fn remove(&self, place: &Place) -> Done<()> {
        let (folder, name) = (c_text(&place.folder)?, c_text(&place.name)?);
        // SAFETY: camera, context and texts are valid.
        let code = unsafe {
            gp::gp_camera_file_delete(self.raw.as_ptr(), folder.as_ptr(), name.as_ptr(), self.context.get())
        };
        self.context.check(code).map(drop)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // SAFETY: they are valid, and not used afterwards.
        unsafe {
            gp::gp_camera_exit(self.raw.as_ptr(), self.context.get());
            gp::gp_camera_unref(self.raw.as_ptr());
        }
    }
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Camera").finish_non_exhaustive()
    }
}

fn no_memory() -> Failure {
    Failure { code: -3, text: "no memory for libgphoto2".into() }
}

/// A copy of a text of the library's; empty of none.
///
/// # Safety
/// It is null, or ends with a zero byte.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

fn c_text(text: &str) -> Done<CString> {
    CString::new(text).map_err(|_| Failure { code: -2, text: format!("{text:?} has a zero byte in it") })
}
