//! The simulated DSLR at this machine's loopback, for those who want to try a camera at a network: `ptpip:127.0.0.1`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use scanner_dslr::network::{Listener, PORT};
use serde_json::json;

/// A simulated DSLR at a network, for cameras of the driver gphoto2 with id = "ptpip:127.0.0.1"
#[derive(Debug, Parser)]
#[command(version, name = "scanner-dslr")]
struct Args {
    /// Where it listens, on this machine alone; with port 0 at any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT))]
    listen: SocketAddr,
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
    let state = tempfile::Builder::new().prefix("scanner-dslr-").tempdir();
    let state = state.map_err(|error| format!("no folder for what it counts: {error}"))?;
    let mut camera: serde_json::Map<_, _> =
        serde_json::from_str(&args.settings).map_err(|error| format!("--settings: {error}"))?;
    if let Some(card) = &args.card {
        camera.insert("card".into(), json!(card));
    } else if !camera.contains_key("card") {
        camera.entry("rig").or_insert_with(|| json!({}));
    }
    camera.entry("state").or_insert_with(|| json!(state.path()));
    let mut listener = Listener::bind(args.listen, &json!(camera).to_string())
        .map_err(|error| format!("{}: {error}", args.listen))?;
    let address = listener.address().map_err(|error| error.to_string())?;
    say(address);
    listener.serve().map_err(|error| format!("{address}: {error}"))
}

#[expect(clippy::print_stdout, reason = "whoever has started it reads where it is")]
fn say(address: SocketAddr) {
    println!("{address}");
}

#[expect(clippy::print_stderr, reason = "it has no log")]
fn complain(error: &str) {
    eprintln!("scanner-dslr: {error}");
}
