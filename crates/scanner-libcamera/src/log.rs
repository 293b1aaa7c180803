//! libcamera's own log, line by line with its level into this driver's.

use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;

use libcamera::logging::log_set_file;

/// Sends libcamera's log through this driver's. Where that cannot be, it goes to standard error as it is.
pub(crate) fn take_over() {
    let taken = std::io::pipe().and_then(|(reader, writer)| {
        // libcamera opens the file by its name, and keeps it.
        log_set_file(&format!("/proc/self/fd/{}", writer.as_raw_fd()), false)?;
        std::thread::Builder::new().name("libcamera log".into()).spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                pass_on(&line);
            }
        })
    });
    if let Err(error) = taken {
        tracing::warn!("libcamera's log goes to standard error as it is: {error}");
    }
}

/// `[0:12:34.567890] [1234]  WARN RPI file.cpp:12 message`: time and process are those of the log anyway.
fn pass_on(line: &str) {
    let message = line.rsplit_once("] ").map_or(line, |(_, message)| message).trim_start();
    let (level, message) = message.split_once(' ').unwrap_or(("", message));
    match level {
        "ERROR" | "FATAL" => tracing::error!("libcamera: {message}"),
        "WARN" => tracing::warn!("libcamera: {message}"),
        "INFO" => tracing::info!("libcamera: {message}"),
        "DEBUG" => tracing::debug!("libcamera: {message}"),
        _ => tracing::info!("libcamera: {line}"),
    }
}
