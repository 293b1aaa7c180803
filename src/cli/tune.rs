//! `scanner tune`: how the axes swing, and how fast they can be, found by trying, and written into the configuration.

mod speed;
mod stop;
mod swing;
mod trials;

use std::path::Path;

use crate::config::Config;

use super::args::{TuneArgs, Tuned};
use super::exit::{Exit, Failure};

pub(super) fn tune(path: &Path, config: Config, what: TuneArgs) -> Result<Exit, Failure> {
    match what.tuned() {
        Tuned::Swing(what) => swing::swing(path, &config, what),
        Tuned::Speed(what) => speed::speed(path, config, &what),
    }
}
