//! A folder, of a disk or of another machine.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, StatxAttributes, StatxFlags, access, openat, statx};
use rustix::io::Errno;

use crate::failure::Failure;
use crate::job::{Folder, Job, Recorded};
use crate::pace::Pace;
use crate::source::{PIECE, Source, forget, sum};
use crate::store::{Look, Store};

/// What is not whole yet has a name that begins and ends so. No file of a scan has: such names are not brought.
const PART: (&str, &str) = (".", ".part");

/// The folder of a scan in a folder.
#[derive(Debug)]
pub(crate) struct FolderStore {
    /// That of all scans.
    root: PathBuf,
    /// The same, held open: what is mounted there is not unmounted meanwhile but by force.
    held: File,
    scan: PathBuf,
}

impl FolderStore {
    /// That of the scan of `job` in `folder`.
    pub(crate) fn open(folder: &Folder, job: &Job) -> Result<Self, Failure> {
        let Folder { path, mount_point } = folder;
        if let Some(point) = mount_point
            && !is_mounted(point)?
        {
            return Err(Failure::NotMounted(point.clone()));
        }
        let held =
            match openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
                Ok(held) => held.into(),
                Err(Errno::NOENT | Errno::NOTDIR) => return Err(Failure::NoFolder(path.clone())),
                Err(error) => return Err(Failure::there("look at", path, error.into())),
            };
        let scan = path.join(&job.scan);
        if is_same(&scan, &job.source) {
            return Err(Failure::Itself(scan));
        }
        Ok(Self { root: path.clone(), held, scan })
    }

    /// That the folder is still on the disk that it was on: without that, what is written would lie beneath it, on another one.
    fn must_be_there(&self) -> Result<(), Failure> {
        let (now, then) = (fs::metadata(&self.root), self.held.metadata());
        let is_same = now.is_ok_and(|now| then.is_ok_and(|then| now.dev() == then.dev()));
        if is_same { Ok(()) } else { Err(Failure::Away(self.root.clone())) }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.scan.join(path)
    }

    /// Writes the file under another name, compares it, and gives it its own.
    fn put(&self, path: &str, want: Recorded, source: &mut Source, pace: &mut Pace) -> Result<(), Failure> {
        self.make_folders(path)?;
        let at = self.at(path);
        let name = at.file_name().unwrap_or_default().to_string_lossy();
        let part = at.with_file_name(format!("{}{name}{}", PART.0, PART.1));
        // What has its name was compared before it got it.
        if write(&part, source, pace)? != want {
            fs::remove_file(&part).map_err(|error| Failure::there("remove", &part, error))?;
            let what = "has another checksum".to_owned();
            return Err(Failure::DamagedThere { place: at.display().to_string(), what });
        }
        self.must_be_there().inspect_err(|_| drop(fs::remove_file(&part)))?;
        fs::rename(&part, &at).map_err(|error| Failure::there("rename", &part, error))?;
        sync_folder(at.parent().unwrap_or(&self.scan))
    }

    /// Makes the folders that `path` is in, each durable; that of all scans is never made.
    fn make_folders(&self, path: &str) -> Result<(), Failure> {
        make_folder(&self.scan)?;
        self.folders(path).try_for_each(|folder| make_folder(&folder))?;
        self.must_be_within(path)
    }

    /// The folders of the scan that `path` is in, the upper ones first.
    fn folders(&self, path: &str) -> impl Iterator<Item = PathBuf> {
        let parts = Path::new(path).parent().unwrap_or(Path::new("")).components();
        parts.scan(self.scan.clone(), |folder, part| {
            folder.push(part);
            Some(folder.clone())
        })
    }

    /// That none of these is a link to somewhere else: whoever may write there could have put one.
    fn must_be_within(&self, path: &str) -> Result<(), Failure> {
        for folder in self.folders(path) {
            match fs::symlink_metadata(&folder) {
                Ok(found) if !found.is_dir() => {
                    let source = io::Error::other("it is a link, or no folder");
                    return Err(Failure::there("use", &folder, source));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(Failure::there("look at", &folder, error)),
            }
        }
        Ok(())
    }
}

impl Store for FolderStore {
    fn look(&mut self, path: &str, want: Recorded, pace: &mut Pace) -> Result<Look, Failure> {
        let at = self.at(path);
        let (mut file, bytes) = match open(&at)? {
            Found::File(file, bytes) => (file, bytes),
            Found::Nothing => return Ok(Look::Absent),
            Found::NoFile => return Ok(Look::Other("is no file".into())),
        };
        if bytes != want.bytes {
            return Ok(Look::Other(format!("has {bytes} bytes instead of {}", want.bytes)));
        }
        forget(&file);
        let found = sum(&mut file, pace).map_err(|error| Failure::there("read", &at, error))?;
        Ok(if found == want { Look::Same } else { Look::Other("has another checksum".into()) })
    }

    fn read_through(&mut self, path: &str, want: Recorded, pace: &mut Pace) -> Result<Look, Failure> {
        self.look(path, want, pace)
    }

    fn send(
        &mut self,
        path: &str,
        want: Recorded,
        source: &mut Source,
        pace: &mut Pace,
    ) -> Result<(), Failure> {
        self.must_be_there()?;
        let sent = self.put(path, want, source, pace);
        if sent.is_err() {
            // Whatever has failed, it has failed of that.
            self.must_be_there()?;
        }
        sent
    }

    fn small(&mut self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let at = self.at(path);
        let mut bytes = Vec::new();
        match open(&at)? {
            Found::File(file, _) => {
                file.take(limit)
                    .read_to_end(&mut bytes)
                    .map_err(|error| Failure::there("read", &at, error))?;
            }
            Found::Nothing => return Ok(None),
            Found::NoFile => {}
        }
        Ok(Some(bytes))
    }

    fn remove(&mut self, path: &str) -> Result<(), Failure> {
        self.must_be_within(path)?;
        let at = self.at(path);
        match fs::remove_file(&at) {
            Ok(()) => sync_folder(at.parent().unwrap_or(&self.scan)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Failure::there("remove", &at, error)),
        }
    }

    fn sweep(&mut self) -> Result<(), Failure> {
        sweep(&self.scan)
    }

    fn reach(&mut self) -> Result<(), Failure> {
        access(&self.root, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|error| Failure::there("write below", &self.root, error.into()))
    }

    fn place(&self, path: &str) -> String {
        self.at(path).display().to_string()
    }
}

/// What is found under a name.
enum Found {
    Nothing,
    /// A folder, a link, a FIFO.
    NoFile,
    /// With its length.
    File(File, u64),
}

/// Opens what is there, and waits for nobody.
fn open(at: &Path) -> Result<Found, Failure> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file: File = match openat(CWD, at, flags, Mode::empty()) {
        Ok(file) => file.into(),
        Err(Errno::NOENT) => return Ok(Found::Nothing),
        Err(Errno::LOOP | Errno::NXIO) => return Ok(Found::NoFile),
        Err(error) => return Err(Failure::there("read", at, error.into())),
    };
    let metadata = file.metadata().map_err(|error| Failure::there("read", at, error))?;
    Ok(if metadata.is_file() { Found::File(file, metadata.len()) } else { Found::NoFile })
}

/// Writes it under another name, and reads it back.
fn write(part: &Path, source: &mut Source, pace: &mut Pace) -> Result<Recorded, Failure> {
    let failed = |action| move |error: Errno| Failure::there(action, part, error.into());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file: File =
        openat(CWD, part, flags, Mode::from_bits_retain(0o666)).map_err(failed("create"))?.into();
    let mut room = vec![0; PIECE];
    loop {
        let count = source.next(&mut room, pace)?;
        if count == 0 {
            break;
        }
        file.write_all(&room[..count]).map_err(|error| Failure::there("write", part, error))?;
    }
    file.sync_all().map_err(|error| Failure::there("write", part, error))?;
    forget(&file);
    drop(file);
    let read = File::open(part).and_then(|mut file| sum(&mut file, pace));
    read.map_err(|error| Failure::there("read back", part, error))
}

/// Whether something is mounted at `point`. Looking has what is mounted when it is needed be mounted.
fn is_mounted(point: &Path) -> Result<bool, Failure> {
    let inside = point.join(".");
    let found = match statx(CWD, &inside, AtFlags::empty(), StatxFlags::BASIC_STATS) {
        Ok(found) => found,
        Err(Errno::NOENT) => return Ok(false),
        Err(error) => return Err(Failure::there("look at", point, error.into())),
    };
    if found.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) {
        return Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
    }
    // A kernel that does not tell: what is mounted is another file system than the folder around it.
    let around = statx(CWD, point.join(".."), AtFlags::empty(), StatxFlags::BASIC_STATS)
        .map_err(|error| Failure::there("look at", point, error.into()))?;
    Ok((found.stx_dev_major, found.stx_dev_minor) != (around.stx_dev_major, around.stx_dev_minor))
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(folder.parent().unwrap_or(folder)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(Failure::there("create", folder, error)),
    }
}

fn sync_folder(folder: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::there("sync", folder, error);
    match File::open(folder).map_err(failed)?.sync_all() {
        Ok(()) => Ok(()),
        // SMB and some FUSE file systems know no such thing.
        Err(error)
            if matches!(Errno::from_io_error(&error), Some(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS)) =>
        {
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

fn is_part(name: &str) -> bool {
    name.strip_prefix(PART.0).is_some_and(|name| name.ends_with(PART.1))
}

/// Whether both are there, and one folder: by a link, by what is mounted, or by their very names.
fn is_same(a: &Path, b: &Path) -> bool {
    let identity = |folder: &Path| fs::metadata(folder).map(|found| (found.dev(), found.ino())).ok();
    identity(a).is_some_and(|a| identity(b) == Some(a))
}

/// Removes what is half written below `folder`, and follows no link.
fn sweep(folder: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(|error| Failure::there("look through", folder, error))? {
        let entry = entry.map_err(|error| Failure::there("look through", folder, error))?;
        let (path, kind) = (entry.path(), entry.file_type());
        if kind.is_ok_and(|kind| kind.is_dir()) {
            sweep(&path)?;
        } else if is_part(&entry.file_name().to_string_lossy()) {
            fs::remove_file(&path).map_err(|error| Failure::there("remove", &path, error))?;
        }
    }
    Ok(())
}
