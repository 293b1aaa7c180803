//! What `systemctl show` prints.

/// The value of `key`; empty if it is not there.
pub(super) fn value<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default()
}
