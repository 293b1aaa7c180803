//! A simulated DSLR for libgphoto2: an I/O library that the library itself loads from the folder that `IOLIBS` names, and that
//! answers PTP as a camera on USB does. So all of libgphoto2 is between a driver and this, and needs no camera and no kernel
//! module. The same camera at a network is `network.rs`, and as a device on a real USB stack `usb.rs`: the program `scanner-dslr` runs both.
//!
//! What it is, it reads from `SCANNER_DSLR`, or from the file that this names (`settings.rs`): `card`, a folder of JPEGs with raw
//! files beside them, of which it makes copies in turn, or `rig`, the simulated rig that it looks at; `state`, a folder in which it
//! counts across processes; `faults`, which happen at the release of that number.
#![expect(
    unsafe_code,
    reason = "libgphoto2 loads it as a C library, and a kernel is asked about its endpoints"
)]
#![expect(missing_docs, reason = "nobody calls it but libgphoto2")]

mod camera;
pub mod network;
mod ptp;
mod settings;
pub mod usb;

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use camera::Dslr;
use settings::Settings;

const OK: c_int = 0;
const ERROR: c_int = -1;
const NOT_FOUND: c_int = -52;
const USB: c_int = 1 << 2;
/// Of a still-image device (PIMA 15740): class, subclass, protocol.
const STILL_IMAGE: (c_int, c_int, c_int) = (6, 1, 1);

#[repr(C)]
pub struct PortInfo {
    _inside: [u8; 0],
}

#[repr(C)]
pub struct PortInfoList {
    _inside: [u8; 0],
}

/// `GPPortSettingsUSB`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Usb {
    inep: c_int,
    outep: c_int,
    intep: c_int,
    config: c_int,
    interface: c_int,
    altsetting: c_int,
    maxpacketsize: c_int,
    port: [c_char; 64],
}

/// `GPPortSettings`, of which the longest is that of a serial port.
#[repr(C)]
pub union PortSettings {
    usb: Usb,
    _serial: [c_int; 36],
}

/// `GPPort`.
#[repr(C)]
pub struct Port {
    kind: c_uint,
    settings: PortSettings,
    _pending: PortSettings,
    timeout: c_int,
    private: *mut Dslr,
    _core: *mut c_void,
}

type Message = extern "C" fn(*mut Port, c_int, c_int, c_int, *mut c_char, c_int) -> c_int;

/// `GPPortOperations`.
#[repr(C)]
pub struct Operations {
    init: Option<extern "C" fn(*mut Port) -> c_int>,
    exit: Option<extern "C" fn(*mut Port) -> c_int>,
    open: Option<extern "C" fn(*mut Port) -> c_int>,
    close: Option<extern "C" fn(*mut Port) -> c_int>,
    read: Option<extern "C" fn(*mut Port, *mut c_char, c_int) -> c_int>,
    check_int: Option<extern "C" fn(*mut Port, *mut c_char, c_int, c_int) -> c_int>,
    write: Option<extern "C" fn(*mut Port, *const c_char, c_int) -> c_int>,
    update: Option<extern "C" fn(*mut Port) -> c_int>,
    /// `get_pin`, `set_pin`, `send_break`, `flush`.
    serial: [*mut c_void; 4],
    find_device: Option<extern "C" fn(*mut Port, c_int, c_int) -> c_int>,
    find_device_by_class: Option<extern "C" fn(*mut Port, c_int, c_int, c_int) -> c_int>,
    clear_halt: Option<extern "C" fn(*mut Port, c_int) -> c_int>,
    /// `msg_write`, `msg_read`, and of interface and class the same.
    messages: [Option<Message>; 6],
    /// `seek`, `send_scsi_cmd`.
    disk: [*mut c_void; 2],
    reset: Option<extern "C" fn(*mut Port) -> c_int>,
}

#[link(name = "gphoto2_port")]
unsafe extern "C" {
    fn gp_port_info_new(info: *mut *mut PortInfo) -> c_int;
    fn gp_port_info_set_type(info: *mut PortInfo, kind: c_int) -> c_int;
    fn gp_port_info_set_name(info: *mut PortInfo, name: *const c_char) -> c_int;
    fn gp_port_info_set_path(info: *mut PortInfo, path: *const c_char) -> c_int;
    fn gp_port_info_list_append(list: *mut PortInfoList, info: *mut PortInfo) -> c_int;
}

#[unsafe(no_mangle)]
pub extern "C" fn gp_port_library_type() -> c_int {
    USB
}

/// As many ports as there are cameras, each with the number that it has on its bus by now.
///
/// # Safety
/// The list is one of libgphoto2's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_port_library_list(list: *mut PortInfoList) -> c_int {
    for (index, camera) in Settings::read().cameras.iter().enumerate() {
        let number = camera.number(index);
        let path = CString::new(format!("usb:001,{number:03}")).unwrap_or_default();
        let mut info = null_mut();
        // SAFETY: the info is made here and belongs to the list from then on, which copies no text that it is given later.
        unsafe {
            if gp_port_info_new(&raw mut info) < 0 {
                return ERROR;
            }
            gp_port_info_set_type(info, USB);
            gp_port_info_set_name(info, c"Simulated DSLR".as_ptr());
            gp_port_info_set_path(info, path.as_ptr());
            gp_port_info_list_append(list, info);
        }
    }
    OK
}

#[unsafe(no_mangle)]
pub extern "C" fn gp_port_library_operations() -> *mut Operations {
    // SAFETY: libgphoto2 frees it; all of its members may be null.
    let operations: *mut Operations = unsafe { libc::calloc(1, size_of::<Operations>()) }.cast();
    if operations.is_null() {
        return operations;
    }
    let all = Operations {
        init: Some(init),
        exit: Some(exit),
        open: Some(open),
        close: Some(close),
        read: Some(read),
        check_int: Some(check_int),
        write: Some(write),
        update: Some(nothing),
        serial: [null_mut(); 4],
        find_device: Some(find_device),
        find_device_by_class: Some(find_device_by_class),
        clear_halt: Some(clear_halt),
        messages: [Some(message); 6],
        disk: [null_mut(); 2],
        reset: Some(reset),
    };
    // SAFETY: it was made for one.
    unsafe { operations.write(all) };
    operations
}

extern "C" fn init(port: *mut Port) -> c_int {
    // SAFETY: libgphoto2 hands over a port that lives.
    unsafe { (*port).private = Box::into_raw(Box::new(Dslr::new())) };
    OK
}

extern "C" fn exit(port: *mut Port) -> c_int {
    // SAFETY: it is what `init` made, and is not used again.
    unsafe {
        if !(*port).private.is_null() {
            drop(Box::from_raw((*port).private));
            (*port).private = null_mut();
        }
    }
    OK
}

/// Whatever goes wrong here is an I/O error there.
fn with(port: *mut Port, act: impl FnOnce(&mut Dslr) -> c_int) -> c_int {
    // SAFETY: libgphoto2 calls one function at a time, with the port that `init` was called with.
    let Some(dslr) = (unsafe { (*port).private.as_mut() }) else { return ERROR };
    catch_unwind(AssertUnwindSafe(|| act(dslr))).unwrap_or(ERROR)
}

extern "C" fn open(port: *mut Port) -> c_int {
    // SAFETY: of a port on USB, it is this member that counts.
    let bytes = unsafe { (*port).settings.usb.port };
    let path: String = bytes.iter().take_while(|byte| **byte != 0).map(|byte| *byte as u8 as char).collect();
    let number = path.rsplit_once(',').and_then(|(_, number)| number.parse().ok());
    let settings = number.and_then(|number| Settings::read().at(number));
    with(port, |dslr| settings.map_or(NOT_FOUND, |settings| dslr.open(&settings)))
}

extern "C" fn reset(port: *mut Port) -> c_int {
    with(port, Dslr::reset)
}

extern "C" fn close(port: *mut Port) -> c_int {
    with(port, Dslr::close)
}

extern "C" fn read(port: *mut Port, to: *mut c_char, length: c_int) -> c_int {
    // SAFETY: libgphoto2 has so much room there.
    let to = unsafe { std::slice::from_raw_parts_mut(to.cast::<u8>(), length.max(0) as usize) };
    with(port, |dslr| dslr.read(to))
}

extern "C" fn write(port: *mut Port, from: *const c_char, length: c_int) -> c_int {
    let bytes: &[u8] = if length > 0 {
        // SAFETY: libgphoto2 has so many bytes there.
        unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length as usize) }
    } else {
        &[]
    };
    with(port, |dslr| dslr.write(bytes))
}

extern "C" fn check_int(port: *mut Port, to: *mut c_char, length: c_int, timeout: c_int) -> c_int {
    // SAFETY: libgphoto2 has so much room there.
    let to = unsafe { std::slice::from_raw_parts_mut(to.cast::<u8>(), length.max(0) as usize) };
    with(port, |dslr| dslr.event(to, timeout))
}

extern "C" fn nothing(_: *mut Port) -> c_int {
    OK
}

extern "C" fn clear_halt(_: *mut Port, _: c_int) -> c_int {
    OK
}

extern "C" fn message(_: *mut Port, _: c_int, _: c_int, _: c_int, _: *mut c_char, _: c_int) -> c_int {
    OK
}

extern "C" fn find_device(_: *mut Port, _: c_int, _: c_int) -> c_int {
    NOT_FOUND
}

extern "C" fn find_device_by_class(port: *mut Port, class: c_int, subclass: c_int, protocol: c_int) -> c_int {
    if (class, subclass, protocol) != STILL_IMAGE {
        return NOT_FOUND;
    }
    // SAFETY: libgphoto2 hands over a port that lives, on USB.
    unsafe {
        let usb = &mut (*port).settings.usb;
        (usb.config, usb.interface, usb.altsetting) = (1, 0, 0);
        (usb.inep, usb.outep, usb.intep, usb.maxpacketsize) = (0x81, 0x02, 0x83, 512);
    }
    OK
}
