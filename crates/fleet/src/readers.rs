//! Who may read what `scanner fleet init` makes, beside root: the service its key, the broker its certificate.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{Gid, fchown};
use rustix::process::geteuid;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// The broker, as Debian's package starts it.
    Broker,
    /// The service of this machine.
    Service,
    /// It is no secret.
    Everybody,
}

impl Group {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Broker => Some("nats"),
            Self::Service => Some("scanner"),
            Self::Everybody => None,
        }
    }
}

/// Lets `group` read the file at `path`. Only root can: what others make stays theirs. A group that is not there yet reads nothing.
pub(crate) fn share(path: &Path, group: Group) -> io::Result<()> {
    let file = File::open(path)?;
    let Some(name) = group.name() else {
        return file.set_permissions(Permissions::from_mode(0o644));
    };
    if !geteuid().is_root() {
        return Ok(());
    }
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let Some(number) = number_of(&groups, name) else { return Ok(()) };
    // Before it may be read by the group, so that it is never by another one.
    fchown(&file, None, Some(Gid::from_raw(number)))?;
    file.set_permissions(Permissions::from_mode(0o640))
}

/// The number of the group `name`.
fn number_of(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let groups = "root:x:0:\nnats-old:x:7:\nnats:x:105:\nscanner:x:64000:pi\n";
        assert_eq!(number_of(groups, "nats"), Some(105));
        assert_eq!(number_of(groups, "scanner"), Some(64_000));
        assert_eq!(number_of(groups, "nat"), None);
    }
}
