//! The ports of this machine, and what is done to one whose camera answers nothing.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr::{NonNull, null_mut};

use super::{Context, Done, c_text, no_memory};
use crate::library as gp;

/// All ports that there are.
pub(super) struct Ports(NonNull<gp::PortInfoList>);

impl Ports {
    pub(super) fn load(context: &Context) -> Done<Self> {
        let mut list = null_mut();
        // SAFETY: the list is made here, and belongs to a value that frees it once.
        unsafe {
            context.check(gp::gp_port_info_list_new(&raw mut list))?;
            let ports = Self(NonNull::new(list).ok_or_else(no_memory)?);
            context.check(gp::gp_port_info_list_load(list))?;
            Ok(ports)
        }
    }

    /// The port of this name, as long as this lives.
    pub(super) fn find(&self, port: &str, context: &Context) -> Done<*mut gp::PortInfo> {
        let (path, mut info) = (c_text(port)?, null_mut());
        // SAFETY: list and text are valid; the port's info belongs to the list.
        unsafe {
            let index = context.check(gp::gp_port_info_list_lookup_path(self.0.as_ptr(), path.as_ptr()))?;
            context.check(gp::gp_port_info_list_get_info(self.0.as_ptr(), index, &raw mut info))?;
        }
        Ok(info)
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        // SAFETY: it is valid, and not used afterwards.
        unsafe { gp::gp_port_info_list_free(self.0.as_ptr()) };
    }
}

/// What libgphoto2 calls cameras at a network. It would look for one on USB, and take that, unless it is told.
const AT_NETWORK: &CStr = c"PTP/IP Camera";

/// What a camera at a network can do, as far as that is known before it is asked.
pub(super) fn network_abilities(context: &Context) -> Done<gp::Abilities> {
    let mut list = null_mut();
    let mut abilities = MaybeUninit::uninit();
    // SAFETY: the list is made here, and freed once; what is written has the size that the header says, and is read if it was.
    unsafe {
        context.check(gp::gp_abilities_list_new(&raw mut list))?;
        let found = context
            .check(gp::gp_abilities_list_load(list, context.get()))
            .and_then(|_| context.check(gp::gp_abilities_list_lookup_model(list, AT_NETWORK.as_ptr())))
            .and_then(|index| {
                context.check(gp::gp_abilities_list_get_abilities(list, index, abilities.as_mut_ptr()))
            });
        gp::gp_abilities_list_free(list);
        found.map(|_| abilities.assume_init())
    }
}

/// Resets what is at `port`, as if it was unplugged and plugged in again: for a device on USB, the kernel's `USBDEVFS_RESET`. Nothing
/// is asked of the camera for that. It may have another name afterwards.
pub(crate) fn reset(port: &str) -> Done<()> {
    let context = Context::new()?;
    let ports = Ports::load(&context)?;
    let info = ports.find(port, &context)?;
    let mut raw = null_mut();
    // SAFETY: the port is made here, and freed once; its info lives as long as the list.
    unsafe {
        context.check(gp::gp_port_new(&raw mut raw))?;
        let mut done = context.check(gp::gp_port_set_info(raw, info));
        if done.is_ok() {
            done = context.check(gp::gp_port_open(raw));
        }
        if done.is_ok() {
            done = context.check(gp::gp_port_reset(raw));
            gp::gp_port_close(raw);
        }
        gp::gp_port_free(raw);
        done.map(drop)
    }
}
