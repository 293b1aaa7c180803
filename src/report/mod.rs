//! A scan on one page, for people: `report.html`, which needs no other file and no network.
//!
//! What the dataset says becomes `shots`; those become drawings (`plot`, `poses`), tables (`gate`) and the page (`page`). It is
//! derived: whoever loses it makes it again.

mod cameras;
mod gate;
mod make;
mod page;
mod plot;
mod poses;
mod shots;
mod story;
#[cfg(test)]
mod tests;
mod worst;

pub use make::{FILE, ReportError, html, write};
