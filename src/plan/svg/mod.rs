//! A drawing of a plan, for people: seen from above and unrolled.

mod drawing;
mod ink;
mod view;

pub use drawing::svg;
