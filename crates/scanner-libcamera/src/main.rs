//! Camera driver of cameras that libcamera knows. A program of its own, because libcamera's calls have no deadline
//! and may crash: nothing else links it.
//!
//! | file | what it is |
//! |---|---|
//! | `device.rs` | the `Device`: requests that come back become frames, settings go out with requests |
//! | `acquired.rs` | a camera that this process has; makes do with fewer buffers |
//! | `streams.rs`, `buffers.rs` | configuration and requests; the memory in which frames leave |
//! | `told.rs` | settings on their way to the camera: when they take effect, whether frames obey |
//! | `exposed.rs` | which frame is fresh, where the camera does not say for how long it was exposed; pure |
//! | `capabilities.rs`, `nodes.rs` | `hello`: formats, modes, controls, device nodes |
//! | `raw.rs`, `raw_stream.rs` | raw images: formats, black levels and colours of a frame, pure; their stream |
//! | `controls.rs` | settings and metadata in libcamera's words |
//! | `automatic.rs` | when automatics have settled; whether a frame is as it was set; pure |
//! | `numbering.rs` | whether this libcamera numbers its controls as the one that was built against |
//! | `failure.rs`, `log.rs` | errors to kinds; libcamera's log into ours |
//!
//! - **The camera is acquired by `configure`**, not at the start: `hello` can be heard while somebody else has the camera,
//!   and names the media devices by whose open descriptors the daemon finds out who that is.
//! - **Requests go round.** They are made once, with a buffer of each stream: to the camera, back through a channel (never
//!   queued in libcamera's callback, which holds the lock that queueing takes), and to the camera again; or, with a still
//!   that is wanted, to the daemon until `release`. None is dropped while the camera has it; after an error
//!   it is idle and goes round again. Fields are in the order in
//!   which libcamera wants things dropped.
//! - **Stills are lent** by descriptor if there are enough buffers (`buffers` and three to stream with), else copied
//!   (`Way` in `streams.rs`). Live frames are small and copied, so that a viewer never holds a still back.
//! - **Raw images come with their stills**: a third buffer of the same request, lent or copied with it, in a descriptor of its own.
//!   The camera is asked for the raw format that it proposes, then for others until one is left that is not compressed. What is
//!   black, and what the colours are, each frame's metadata say (`SensorBlackLevels`, `ColourCorrectionMatrix`, `ColourGains`).
//! - **A camera that is gone** is reported as that (`Presence` in `acquired.rs`): libcamera aborts the process when it gives
//!   back a request of such a camera, so its thread goes no further once it has said that the camera is gone.
//! - **No setting is dropped silently**, as libcamera would: the host checks settings against `hello` (`Controls::check`),
//!   and frames whose metadata differ from what is set are no answers (`Controls::differ_from`, which the daemon uses as well). So frames from before a
//!   setting took effect, at a start too, are not taken.
//! - **What the camera does not say, is not said**: what it was told is no knowledge of what it did. A frame of unknown
//!   exposure is taken only behind one that ended late enough (`Exposed`), however long frames take.
//! - **Settings go with the next request** and take effect some frames after it has come back (`Effect`): until then no
//!   frame counts as disobedient, and none as settled. The camera has four requests at a time, or settings would wait
//!   behind all of them. What it takes, and which part of the sensor images show, is known only once it is configured;
//!   `configured` says so.
//! - **Converge, then hold.** `converge` frees what is not fixed and starts autofocus; `Convergence` watches metadata until
//!   they are steady; what it saw is fixed and told the daemon, which configures every later driver with it
//!   (`Board::held`). Which shots share settings is decided in `run/held_settings.rs`; a resumed scan finds them in its journal,
//!   since every stored image has them.

mod acquired;
mod automatic;
mod buffers;
mod capabilities;
mod controls;
mod device;
mod exposed;
mod failure;
mod log;
mod nodes;
mod numbering;
mod raw;
mod raw_stream;
mod streams;
mod told;

use std::process::ExitCode;

use scanner::camera_driver::host;

fn main() -> ExitCode {
    let program = host::Program {
        name: "scanner-libcamera",
        about: "Camera driver of cameras that libcamera knows, such as those of a Raspberry Pi",
    };
    host::run(program, device::build)
}
