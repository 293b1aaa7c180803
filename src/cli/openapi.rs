//! `scanner openapi`: the document of the HTTP API, from which the web page's types are generated.

use crate::api;

use super::exit::{Exit, Failure};
use super::output;

pub(super) fn openapi() -> Result<Exit, Failure> {
    output::json(&api::openapi())?;
    Ok(Exit::Done)
}
