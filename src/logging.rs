//! The log: to journald when systemd started us, else to standard error.

mod entry;
mod journald;
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

/// Where progress bars are drawn: log lines make room for them.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// What journald has not been sent yet.
static PENDING: OnceLock<Pending> = OnceLock::new();

/// How long the end of the program waits for journald.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// For the end of the program: what was logged is on its way.
pub fn flush() {
    if let Some(pending) = PENDING.get() {
        pending.flush(FLUSH_PATIENCE);
    }
}

/// The place of progress bars. Log lines appear above them.
pub fn bars() -> &'static MultiProgress {
    BARS.get_or_init(MultiProgress::new)
}

/// Whether a person looks at standard error.
pub fn is_interactive() -> bool {
    io::stderr().is_terminal()
}

/// Sends the program's log where it belongs. `filter` is what the user asked for (as in `RUST_LOG`), if anything;
/// else everything from `default` on.
///
/// # Errors
/// The log has already been set up.
pub fn init(filter: Option<&str>, default: LevelFilter) -> Result<(), TryInitError> {
    let filter = match filter {
        Some(text) => EnvFilter::builder().with_default_directive(default.into()).parse_lossy(text),
        None => EnvFilter::default().add_directive(default.into()),
    };
    let registry = tracing_subscriber::registry().with(filter).with(recent::Keeper);
    if started_by_systemd()
        && let Ok(journald) = Journald::new(Path::new(journald::SOCKET), env!("CARGO_PKG_NAME"))
    {
        let _ = PENDING.set(journald.pending());
        return registry.with(journald).try_init();
    }
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(|| AboveBars)
        .with_ansi(is_interactive())
        .with_target(false)
        .with_timer(Clock);
    registry.with(layer).try_init()
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
        match BARS.get() {
            Some(bars) => bars.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
