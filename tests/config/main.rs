//! Configuration files: those shipped load and say what their comments say; broken ones tell every mistake.
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod damage;
mod drop_ins;
mod errors;
mod gpio;
mod motion;
mod newcomer;
mod shipped;

use scanner::config::ConfigErrors;

/// The standard configuration.
const SHIPPED: &str = include_str!("../../config/scanner.toml");

fn messages(errors: &ConfigErrors) -> Vec<&str> {
    errors.problems().iter().map(|problem| problem.message.as_str()).collect()
}
