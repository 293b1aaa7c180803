//! What a place for scans has to be able to do.

use crate::failure::Failure;
use crate::job::Recorded;
use crate::pace::Pace;
use crate::source::Source;

/// How a file stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is not there.
    Absent,
    /// It is there, with this length and checksum.
    Same,
    /// What is there is another one: in which way.
    Other(String),
}

/// One scan at a target. Paths are those in the scan's folder.
pub(crate) trait Store {
    /// How the file at `path` stands there, compared with `want`.
    fn look(&mut self, path: &str, want: Recorded, pace: &mut Pace) -> Result<Look, Failure>;

    /// As [`Self::look`], but all of it is read, even where the storage's word would be taken for it.
    fn read_through(&mut self, path: &str, want: Recorded, pace: &mut Pace) -> Result<Look, Failure>;

    /// Brings the file there, in the place of whatever is there. On return it is there, and was compared: it is `want`.
    fn send(
        &mut self,
        path: &str,
        want: Recorded,
        source: &mut Source,
        pace: &mut Pace,
    ) -> Result<(), Failure>;

    /// A small file that is there, with `limit` bytes at most; none if it is not.
    fn small(&mut self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure>;

    /// Takes the file away, which need not be there.
    fn remove(&mut self, path: &str) -> Result<(), Failure>;

    /// Takes away what earlier tries have left half done.
    fn sweep(&mut self) -> Result<(), Failure>;

    /// That the target is there, and could take something.
    fn reach(&mut self) -> Result<(), Failure>;

    /// Where the file is, for people.
    fn place(&self, path: &str) -> String;
}
