//! Who may come in: hosts, tokens, cookies, pairing.

pub(super) mod attempts;
pub(super) mod auth;
pub(super) mod credential;
pub(super) mod grant;
pub(super) mod hosts;
pub(super) mod pair;
pub(super) mod scope;
pub(super) mod state;
