//! Accepting connections, however often that fails.

use std::io;
use std::time::Duration;

use tracing::warn;

/// Out of descriptors, say, which the next moment does not change.
const PAUSE: Duration = Duration::from_millis(200);

/// What `accept` yields, however often it fails before; `place` is where.
pub async fn next_connection<T, F>(place: &str, accept: impl Fn() -> F) -> T
where
    F: Future<Output = io::Result<T>>,
{
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                warn!("cannot accept a connection at {place}: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
