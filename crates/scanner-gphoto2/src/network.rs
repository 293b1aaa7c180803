//! Cameras at a network (PTP/IP): which address is meant, and who this computer is.
#![expect(unsafe_code, reason = "libgphoto2 is a C library")]

use std::ffi::CString;
use std::net::{Ipv4Addr, SocketAddrV4};

use scanner::camera_driver::host::DeviceError;
use scanner::camera_driver::protocol::ErrorKind;
use scanner::procfs::machine_id;
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::library as gp;

/// How such ports begin.
const SCHEME: &str = "ptpip:";
/// The port at which cameras listen.
const PORT: u16 = 15740;
/// The connection was refused, or nobody has answered.
const IO: i32 = -7;
const TIMEOUT: i32 = -10;
/// Also that the camera has refused this computer: libgphoto2 has no number of its own for that.
const UNSPECIFIED: i32 = -1;

/// The address in `id`, if it is one of a network: `ptpip:192.168.1.1`, or with another port, `ptpip:192.168.1.1:15740`.
///
/// # Errors
/// It is of a network, and is no address.
pub(crate) fn address(id: &str) -> Result<Option<SocketAddrV4>, DeviceError> {
    let Some(written) = id.strip_prefix(SCHEME) else { return Ok(None) };
    let ip = written.parse::<Ipv4Addr>().map(|ip| SocketAddrV4::new(ip, PORT));
    ip.or_else(|_| written.parse()).map(Some).map_err(|_| {
        let message = format!(
            "id {id:?}: a camera at a network is named by its IPv4 address, \"ptpip:192.168.1.1\", or \"ptpip:192.168.1.1:15740\" with another port"
        );
        DeviceError::invalid(message)
    })
}

/// As libgphoto2 names it. Without the second port, events would go to the usual one.
pub(crate) fn port(address: SocketAddrV4) -> String {
    format!("{SCHEME}{}:{port}:{port}", address.ip(), port = address.port())
}

/// Whether this is the port of a camera at a network.
pub(crate) fn is_at_one(port: &str) -> bool {
    port.starts_with(SCHEME)
}

/// Tells libgphoto2 who this computer is. Cameras that are paired know it by that; libgphoto2 alone makes up another one for each
/// process, since it has no home here.
pub(crate) fn introduce() {
    let Some(who) = machine_id().ok().filter(|id| !id.is_empty()) else {
        tracing::debug!("this machine has no id: cameras at a network may ask to be paired anew");
        return;
    };
    // The id itself is not to leave the machine.
    let digest = Sha256::digest(format!("scanner-gphoto2 {who}"));
    let text: Vec<_> = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let Ok(value) = CString::new(text.join(":")) else { return };
    // SAFETY: the texts live for as long as the call, which copies them into places that have room for 256 bytes.
    unsafe { gp::gp_setting_set(c"ptp2_ip".as_ptr(), c"guid".as_ptr(), value.as_ptr()) };
}

/// Why the camera at `port` could not be opened.
pub(crate) fn not_opened(port: &str, failure: Failure) -> DeviceError {
    // No program of this machine is in its way, so it is not said to be busy.
    let remedy = match failure.code {
        IO | TIMEOUT => {
            "nothing answers there: look whether it is on and awake, in this network, and at this address"
        }
        UNSPECIFIED => {
            "it has ended the connection: another computer may have it, or it is to be paired with this one, in its menu"
        }
        _ => return failure.explain(&format!("opening the camera at {port}")),
    };
    let Failure { code, text } = failure;
    let message = format!("opening the camera at {port}: {text} ({code}): {remedy}");
    DeviceError::new(ErrorKind::Gone, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_with_or_without_a_port() {
        let named = |id| address(id).unwrap().map(port);
        assert_eq!(named("ptpip:192.168.1.1").as_deref(), Some("ptpip:192.168.1.1:15740:15740"));
        assert_eq!(named("ptpip:127.0.0.1:9000").as_deref(), Some("ptpip:127.0.0.1:9000:9000"));
        assert_eq!((named("0"), named("usb:001,007"), named("serial:12")), (None, None, None));
        for wrong in ["ptpip:", "ptpip:camera", "ptpip:1.2.3", "ptpip:1.2.3.4:x", "ptpip:[::1]:15740"] {
            assert_eq!(address(wrong).unwrap_err().kind, ErrorKind::InvalidArgument, "{wrong}");
        }
    }

    #[test]
    fn a_camera_that_is_not_there_is_told_from_one_that_refuses() {
        let told = |code| {
            let error = not_opened("ptpip:1.2.3.4:1:1", Failure { code, text: "said".into() });
            (error.kind, error.message.contains("paired"))
        };
        let (gone, refused) = ((ErrorKind::Gone, false), (ErrorKind::Gone, true));
        assert_eq!([-7, -10, -1].map(told), [gone, gone, refused]);
        assert_eq!(told(-2).0, ErrorKind::InvalidArgument);
    }
}
