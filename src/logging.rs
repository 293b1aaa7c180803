//! The log: to journald when systemd started us, else to standard error.

mod bars;
mod datagram;
mod entry;
mod journald;
mod outlet;
mod recent;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::MultiProgress;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

pub use recent::{Line, recent};

use journald::{Journald, Pending};
use outlet::Outlet;

/// Standard error, for the log, bars and messages alike. Nobody waits for whoever reads it.
static STDERR: OnceLock<Outlet> = OnceLock::new();

/// Standard output, on its own: what it says is for programs.
static STDOUT: OnceLock<Outlet> = OnceLock::new();

/// Where progress bars are drawn: log lines make room for them.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// What journald has not been sent yet.
static PENDING: OnceLock<Pending> = OnceLock::new();

/// How long the end of the program waits for whoever reads the log and takes nothing.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// For the end of the program: what was logged is on its way.
pub fn flush() {
    if let Some(pending) = PENDING.get() {
        pending.flush(FLUSH_PATIENCE);
    }
    if let Some(outlet) = STDERR.get() {
        // That nobody reads it cannot be told to anybody.
        let _ = outlet.flush(Some(FLUSH_PATIENCE));
    }
}

/// The place of progress bars, if there is one. Log lines appear above them.
pub fn bars() -> Option<&'static MultiProgress> {
    let outlet = STDERR.get()?;
    Some(BARS.get_or_init(|| bars::new(outlet.clone())))
}

/// Writes a message to standard error, behind what was logged, without waiting for a reader.
pub fn say(text: String) {
    match STDERR.get() {
        Some(outlet) => outlet.push(text.into_bytes()),
        // Without a thread to write it: at once, or not at all.
        None => {
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

/// Prints to standard output, and waits until it is read; where nothing is read for `patience`, no longer.
pub fn print(text: String, patience: Option<Duration>) -> io::Result<()> {
    if STDOUT.get().is_none() {
        let _ = STDOUT.set(Outlet::new("stdout", io::stdout())?);
    }
    let Some(outlet) = STDOUT.get() else { return Ok(()) };
    outlet.push(text.into_bytes());
    outlet.flush(patience)
}

/// Whether a person looks at standard error.
pub fn is_interactive() -> bool {
    io::stderr().is_terminal()
}

/// Sends the program's log where it belongs. `filter` is what the user asked for (as in `RUST_LOG`), if anything;
/// else everything from `default` on.
///
/// # Errors
/// The log has already been set up, or there is no thread for it.
pub fn init(filter: Option<&str>, default: LevelFilter) -> io::Result<()> {
    if STDERR.get().is_none() {
        let _ = STDERR.set(Outlet::new("stderr", io::stderr())?);
    }
    // The standard one writes to standard error itself, and so would wait for its reader.
    std::panic::set_hook(Box::new(|panic| tracing::error!("a defect of this program: {panic}")));
    let twice = |error: TryInitError| io::Error::other(error);
    let filter = match filter {
        Some(text) => EnvFilter::builder().with_default_directive(default.into()).parse_lossy(text),
        None => EnvFilter::default().add_directive(default.into()),
    };
    let registry = tracing_subscriber::registry().with(filter).with(recent::Keeper);
    if started_by_systemd()
        && let Ok(journald) = Journald::new(Path::new(journald::SOCKET), env!("CARGO_PKG_NAME"))
    {
        let _ = PENDING.set(journald.pending());
        return registry.with(journald).try_init().map_err(twice);
    }
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(|| AboveBars)
        .with_ansi(is_interactive())
        .with_target(false)
        .with_timer(Clock)
        // It would complain at standard error, with a panic if that fails.
        .log_internal_errors(false);
    registry.with(layer).try_init().map_err(twice)
}

/// Keeps lines for [`recent()`] in programs that set up their log by themselves.
pub fn keeper<S: tracing::Subscriber>() -> impl tracing_subscriber::Layer<S> {
    recent::Keeper
}

/// Whether standard error is the journal's socket: systemd says which one it gave us in `JOURNAL_STREAM`
/// (systemd.exec(5)), and a child that redirects its standard error must not write to the journal.
fn started_by_systemd() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Some((device, inode)) = stream.split_once(':') else { return false };
    let (Ok(device), Ok(inode)) = (device.parse::<u64>(), inode.parse::<u64>()) else { return false };
    rustix::fs::fstat(io::stderr()).is_ok_and(|stat| stat.st_dev == device && stat.st_ino == inode)
}

/// Time of day to the millisecond: a scan is minutes long, and the date is in its id.
struct Clock;

impl tracing_subscriber::fmt::time::FormatTime for Clock {
    fn format_time(&self, writer: &mut tracing_subscriber::fmt::format::Writer<'_>) -> std::fmt::Result {
        write!(writer, "{}", jiff::Zoned::now().strftime("%H:%M:%S%.3f"))
    }
}

struct AboveBars;

impl Write for AboveBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = || say(String::from_utf8_lossy(bytes).into_owned());
        match BARS.get() {
            Some(bars) => bars.suspend(line),
            None => line(),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
