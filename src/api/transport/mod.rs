//! Between sockets and routes: connections, requests, answers, files.

pub(super) mod carrying;
pub(super) mod connection;
pub(super) mod crowd;
pub(super) mod extract;
pub(super) mod files;
mod objects;
pub(super) mod patience;
pub(super) mod peer;
pub(super) mod problem;
pub(super) mod stored;
pub(super) mod tls;
pub(super) mod work;
pub(super) mod zip;
