//! Work on the threads for files.

use super::problem::{Answer, Problem};

/// Reads files, on a thread for that.
pub(in crate::api) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(unexpected(&error)))
}

/// A task that has ended without an answer.
pub(in crate::api) fn unexpected(error: &tokio::task::JoinError) -> Problem {
    Problem::failed(format!("a part of the program ended unexpectedly: {error}"))
}
