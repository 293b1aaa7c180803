//! The configuration: looked at, changed, taken back.

mod reserved;
pub(super) mod routes;
mod state;
pub(super) mod versions;

use crate::config::Config;
use crate::daemon;

use super::transport::tls::check_certificate;

/// What is wrong with a configuration that loads, and yet would not do: plans that the axes cannot reach, a certificate that
/// cannot be used.
///
/// # Errors
/// What it is, and what to do.
pub fn fit(config: &Config) -> Result<(), String> {
    daemon::plans_of(config).map_err(|error| error.to_string())?;
    config.api.tls.as_ref().map_or(Ok(()), check_certificate).map_err(|error| error.to_string())
}
