//! The rig over HTTP: what `scanner status`, `start` and the rest do, and looking through the cameras, for browsers and
//! programs on the network. Its contract is the `OpenAPI` document that is generated from the handlers.
//!
//! - **Nothing here slows a scan**, and errors are problem documents (RFC 9457) whose `type` programs go by.
//! - **A runtime of its own** (`api/server.rs`), of one thread behind those of the scan. What acts on the rig is spawned where
//!   the control socket's tasks run (`App::on_rig`), and goes on if its client goes away; both call the same methods of
//!   `Service`. What reads files runs on threads for that. A reload ends it all: it has a part in the rig.
//! - **Denied by default** (`api/access/auth.rs`, `gate`): a layer around the router refuses whatever matches a route that is not in
//!   `OPEN`, before any handler sees it; a test walks the document. What matches no route is a file of the page, which is in the program. No path of a
//!   file is made from what a client sent: ids are parsed, shots are numbers, names come from plan and journal.
//! - **The document** (`api/document.rs`, `api/schemas.rs`) is generated from the handlers. What serde flattens is written out in it,
//!   object by object, since generators of clients drop an `allOf` of anything else.
//! - **Sessions** (`daemon/sessions.rs`): what a browser keeps is a random id; here is its hash, with that of its token, in a file
//!   beside the tokens (`tokens.sessions.json`). A token that was made for a browser ends with its last session, since nobody else has
//!   it. What a request does, whether it only looks, and whose page may have a browser ask for it, is in `api/access/scope.rs`; `Fetch
//!   Metadata` is sent over HTTPS alone, so `Referrer-Policy` lets our own page name itself to us.
//! - **Pairing** (`daemon/pairing`): one state, pure, with the clock passed in (`state.rs`). Several wait at once, fairly: who asks more
//!   often than others gives way first. The button is for the only one; else a code names it. The gesture that approves means
//!   nothing else on a rig at rest, and a press is read by what the rig does at that moment (`obey` in `daemon/panel.rs`): so
//!   whoever asks, start starts, stop stops, and a held start cancels a scan. The token is made when it is handed over, as a session in a
//!   cookie, to who has the secret: nothing is left behind by who does not come back.
//! - **HTTPS** (`api/transport/tls.rs`): rustls between the socket's time limits and hyper. What a connection begins with tells plain
//!   HTTP, which is answered in its own words. Certificate and key are read by the service alone, never with the configuration,
//!   which anybody may read; a reload swaps them for connections to come. The port is not listened at without them.
//! - **A socket of systemd** (`systemd/socket.rs`) is kept for as long as the process lives; each API gets a duplicate, so that a
//!   reload loses no connection that waits.
//! - **Names, not addresses, betray a rebinding** (`api/access/hosts.rs`): a literal address in `Host` is fine if the connection was
//!   made to it; a name has to be one of ours. `Origin` has to be `Host`.
//! - **Cameras between scans** (`daemon/standby.rs`): a camera has one turn, a fair lock. Whoever photographs holds it until
//!   the image is stored, so "taken" means what it says; `?wait` queues at that lock. A scan takes every turn, closes the
//!   cameras and has them for itself; they are given back (`Lease::end`) before it asks for them.
//! - **Live views** (`api/live`): a feeder a camera that somebody looks at; the newest frame in a `watch` channel, encoded
//!   once, with its header, shared by all viewers. Without a stream beside stills, the feeder takes stills while nobody wants
//!   the turn, and gives way at once.
//! - **Nothing wakes up for nobody.** Who looks after cameras waits while none is open or looked at, and who watches the status
//!   while nobody listens to events; whoever comes first wakes them (`Notify`, which remembers one call).
//! - **Heard out** (`hear_out` in `api/router.rs`): the body of a request is read before anybody answers. A connection that is
//!   closed with bytes unread takes the answer with it.
//! - **Regions** (`ui/src/views/live/regions.ts`) are kept as parts of the camera's field of view, since the picture on which
//!   they are drawn may be cropped, and what autofocus looks at is a part of the picture. The page keeps them; the daemon is told
//!   of what is used.
//! - **The rig has a name in the kernel** (`daemon/rig_lock.rs`): an abstract socket beside `rig.lock`, since a file can be removed
//!   beside its holder. Across network namespaces the file counts, and the pins.
//! - **Events** (`api/events`): history is numbered and never left out without a word (`gap`); the status is only ever the
//!   newest. The numbers are those of one run of the program, which the snapshot names.
//! - **The end** (`api/server.rs`): a reload ends the API. It stops listening, and waits for the answers that are being made or sent
//!   (those of unknown length are cut off), so nobody is told of a failure that is none, and the port is free for what follows.
//! - **The configuration** (`api/configuration`): a change asks for a reload once it is written, whoever waits. What names programs, files and secrets is not changed over the network
//!   (`api/configuration/reserved.rs`): what counts is what differs afterwards, however it was written.
//! - **Archives** (`api/transport/zip.rs`): lengths are known, so where every byte will be is known before one is read, and any range can
//!   be sent. Nothing is compressed: images are. Checksums of what a range leaves out are read when the directory needs them.
//!   What grows, such as a journal, is kept open and sent in pieces, as far as it went when the archive was laid out.

mod access;
mod app;
mod calibration;
mod captures;
mod configuration;
mod document;
mod events;
mod live;
mod operation;
mod page;
mod rig;
mod router;
mod scans;
mod schemas;
mod server;
mod setup;
mod transport;
mod tuning;

pub use configuration::fit;
pub use router::openapi;
pub use server::Server;
pub use transport::tls::{TlsError, check_certificate};
