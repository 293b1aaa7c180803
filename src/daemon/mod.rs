//! The running program: the rig wired up from the configuration, one scan at a time on it, and the socket at
//! which the other commands talk to it.

mod accept;
mod addresses;
mod automatic;
mod calibrations;
mod captures;
mod control;
mod deliveries;
mod delivering;
mod disk_space;
mod disk_speed;
mod error;
mod exports;
mod fit;
mod folder;
mod followers;
mod gains;
mod hours;
mod hulls;
mod idle_lights;
mod masks;
mod message;
mod mounts;
mod network;
mod opening;
mod pairing;
mod panel;
mod proposer;
mod refused;
mod reload;
mod resumes;
mod rig_lock;
mod service;
mod sessions;
mod setup;
mod standby;
mod station;
mod status;
pub mod storage;
mod strays;
mod tokens;
mod tuning;
mod tunings;
mod watches;
mod wiring;
mod work;

pub use accept::next_connection;
pub use addresses::{as_code, page_addresses};
pub use automatic::{resume_interrupted, resume_when_there};
pub use calibrations::{
    CalibrationEnd, CalibrationOutcome, CalibrationProgress, CalibrationRefused, Calibrations,
};
pub use captures::{Capture, Captures, Developed};
pub use control::{ControlError, ask, serve};
pub use deliveries::{DeliveryState, DeliveryStatus, DeliveryUnderWay, ScanDelivery, Whereabouts};
pub use delivering::{deliver, deliverable};
pub use disk_space::{Room, Wanted, room};
pub use disk_speed::{IMAGE, write_images};
pub use error::{PressError, Reason, StartError};
pub use exports::Exports;
pub use fit::{plans_of, wanted};
pub use followers::Followers;
pub use gains::gain_of;
pub use hours::keep_hours;
pub use masks::{MaskProgress, Masks, MasksEnd, MasksRefused};
pub use message::{Reply, Request, TokenAction};
pub use network::{facts, network_of, own_names};
pub(crate) use opening::stacks_of;
pub use pairing::{
    Answer as PairAnswer, Begun as PairBegun, CollectError, Over, PairError, Pairing, Waiting,
};
pub use panel::attend;
pub use proposer::{ByModel, Proposer};
pub use refused::{ExtendError, RetakeError, ScanDescribeError};
pub use reload::{Reload, Reloads};
pub use rig_lock::RigLock;
pub use service::{ByHand, Launched, NoScan, Service, Starting};
pub use sessions::Sessions;
pub use setup::{
    Bench, CameraSearch, Place, PlaceError, Showing, Tried, disks, is_known_driver, notes, plain_camera,
    real_cameras, search_cameras,
};
pub use standby::{
    CameraTurn, PhotographUnderWay, StandbyCamera, StandbyCameras, StandbyError, Viewing, develop,
};
pub use station::Station;
pub(crate) use station::{find_scan, plan_from};
pub use status::{ApiState, Last, Status, led};
pub use strays::{device_nodes, media_holders};
pub use tokens::{May, Token, TokenError, Tokens};
pub use tuning::{TuneError, TuneProgress};
pub use tunings::{TuningEnd, Tunings};
pub use wiring::{open_pins, open_pins_by_force};
pub use work::{PlanChoice, Work};
