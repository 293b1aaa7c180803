//! Publishes how the scanner stands to an MQTT broker, and tells Home Assistant what is published.
//!
//! ```text
//! Status, Event --state--> TOPIC/state          retained JSON, when it changes, once a second at most
//!                          TOPIC/availability   "online"; "offline" by the broker, once we are gone
//! discovery ----------->   homeassistant/device/ID/config
//! ```
//!
//! Nothing is ever taken from the broker: who may write to it starts no motor. A broker that is slow or gone holds nobody; what
//! has changed meanwhile is told by the next state, which is all there is to tell.

mod discovery;
mod publisher;
mod state;

pub use discovery::discovery;
pub use publisher::publish;
pub use state::State;
