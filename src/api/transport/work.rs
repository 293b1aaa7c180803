//! Work on the threads for files.

use std::time::Duration;

use super::problem::{Answer, Problem, ProblemType};

/// After how long the API is there again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Reads files, on a thread for that.
pub(in crate::api) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(unexpected(&error)))
}

/// A task that has ended without an answer.
pub(in crate::api) fn unexpected(error: &tokio::task::JoinError) -> Problem {
    if error.is_cancelled() {
        let detail =
            "the API is ending, as it does for a moment when the configuration is read again: ask again";
        return Problem::new(ProblemType::Unavailable, detail).retry_after(ASK_AGAIN);
    }
    Problem::failed(format!("a part of the program ended unexpectedly: {error}"))
}
