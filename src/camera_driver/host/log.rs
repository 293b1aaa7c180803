//! The driver's log: lines on standard error that say how grave they are, as in sd-daemon(3).

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Sends the log of this process to standard error, from `info` on.
pub(super) fn init() {
    tracing_subscriber::fmt()
        // It would complain at standard error, with a panic if nobody reads that any more.
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .event_format(Prefixed)
        .init();
}

/// `<4>message`: the number is the priority of syslog(3).
struct Prefixed;

impl<S, N> FormatEvent<S, N> for Prefixed
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The priority of syslog(3).
fn priority(level: Level) -> u8 {
    // `Level` is no enum: from the gravest on.
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}
