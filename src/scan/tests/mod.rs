//! The transition function: single moves by example, whole lives against a reference model.

mod examples;
mod model;
