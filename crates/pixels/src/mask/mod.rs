//! Where the object is in a photograph: which pixels show it.
//!
//! What differs from the *reference*, a photograph of the empty rig, is the object ([`differs`]); or what is dark before a
//! panel that shines behind it, a *silhouette* ([`shining`], [`behind`], [`object()`]). Of either, [`shaped`] makes a mask.

mod colours;
mod difference;
mod object;
mod outline;
mod shape;
mod table;

pub use colours::Photo;
pub use object::{Blank, differs, shaped};
pub use outline::{behind, object, shining};
pub use shape::Shape;
pub use table::{away_on_table, on_table};
