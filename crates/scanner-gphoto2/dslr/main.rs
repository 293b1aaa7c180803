//! The simulated DSLR at this machine's loopback, for those who want to try a camera at a network: `ptpip:127.0.0.1`. With `--usb`, the one
//! that is plugged into whatever computer a gadget of this machine is.

use std::fmt::Display;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use scanner_dslr::network::{Listener, PORT};
use scanner_dslr::usb::Device;
use serde_json::json;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A simulated DSLR at a network, for cameras of the driver gphoto2 with id = "ptpip:127.0.0.1"; or, with --usb, on USB
#[derive(Debug, Parser)]
#[command(version, name = "scanner-dslr")]
struct Args {
    /// Where it listens, on this machine alone; with port 0 at any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT))]
    listen: SocketAddr,
    /// Is a camera on USB instead, of the gadget whose function `ffs` is mounted there; says when the gadget can be bound to a port
    #[arg(long, value_name = "FOLDER", conflicts_with = "listen")]
    usb: Option<PathBuf>,
    /// JPEGs with raw files beside them, of which it makes copies in turn; without, it sees the owl of the simulated rig
    #[arg(long, value_name = "FOLDER")]
    card: Option<PathBuf>,
    /// What it is like, as [camera.options.simulated] says it, in JSON
    #[arg(long, value_name = "JSON", default_value = "{}")]
    settings: String,
}

fn main() -> ExitCode {
    match serve(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args) -> Result<(), String> {
    let mut camera: serde_json::Map<_, _> =
        serde_json::from_str(&args.settings).map_err(|error| format!("--settings: {error}"))?;
    if let Some(card) = &args.card {
        camera.insert("card".into(), json!(card));
    } else if !camera.contains_key("card") {
        camera.entry("rig").or_insert_with(|| json!({}));
    }
    // For what it counts, for as long as it is there.
    let mut state = None;
    if !camera.contains_key("state") {
        let folder = tempfile::Builder::new().prefix("scanner-dslr-").tempdir();
        let folder = folder.map_err(|error| format!("no folder for what it counts: {error}"))?;
        camera.insert("state".into(), json!(folder.path()));
        state = Some(folder);
    }
    let camera = json!(camera).to_string();
    let ended = match &args.usb {
        Some(folder) => serve_usb(folder, &camera),
        None => serve_network(args.listen, &camera),
    };
    drop(state);
    ended
}

fn serve_network(at: SocketAddr, camera: &str) -> Result<(), String> {
    let refused = |error: &dyn Display| format!("{at}: {error}");
    let mut listener = Listener::bind(at, camera).map_err(|error| refused(&error))?;
    let address = listener.address().map_err(|error| refused(&error))?;
    let ended = until(move || {
        say(&address);
        listener.serve()
    });
    ended.map_err(|error| format!("{address}: {error}"))
}

fn serve_usb(folder: &Path, camera: &str) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let device = Device::describe(folder, camera).map_err(failed)?;
    let named = folder.display().to_string();
    let ended = until(move || {
        say(&named);
        device.serve()
    });
    ended.map_err(failed)
}

/// Does `work` on a thread of its own until it fails, or this program is told to end, whatever the work waits for.
fn until(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (done, finished) = oneshot::channel();
        thread::spawn(move || done.send(work()));
        tokio::select! {
            ended = finished => ended.unwrap_or(Ok(())),
            _ = end.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    })
}

#[expect(clippy::print_stdout, reason = "whoever has started it reads where it is")]
fn say(place: &dyn Display) {
    println!("{place}");
}

#[expect(clippy::print_stderr, reason = "it has no log")]
fn complain(error: &str) {
    eprintln!("scanner-dslr: {error}");
}
