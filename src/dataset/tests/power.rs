//! A disk that can lose power after every operation, and part way through a write.
//!
//! [`Recorder`] does everything for real and keeps a log. [`states_after`] replays the log's beginning on a
//! model of what is in memory and what is on the disk, and gives the states in which power could leave it:
//! - The bytes of a file that are not synced may be there, not be there, be zero, or be there in part.
//! - A name that is not synced (of a file created, renamed, removed) may be there or not, each independently of
//!   the others. A rename within one folder or between two happens whole or not at all, and lasts once every
//!   folder concerned is synced.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::dataset::{Disk, DiskFile, OsDisk};

/// An open file, whatever name it has by now.
type Handle = usize;

/// One operation, with paths relative to the recorder's root.
#[derive(Debug, Clone)]
pub(super) enum Op {
    CreateDir(PathBuf),
    /// Also gives the number by which the open file is known from here on.
    Create(PathBuf, Handle),
    Open(PathBuf, Handle),
    /// At the file's end.
    Write(Handle, Vec<u8>),
    Sync(Handle),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDir(PathBuf),
}

/// Which syncs a deliberately wrong writer leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgets {
    Nothing,
    /// To sync files outside the top folder (images and metadata).
    FileSync,
    /// To sync folders of images and metadata.
    DirSync,
}

/// Does everything, and remembers it.
#[derive(Debug)]
pub(super) struct Recorder {
    root: PathBuf,
    log: Arc<Mutex<Vec<Op>>>,
    forgets: Forgets,
}

impl Recorder {
    pub(super) fn new(root: &Path, forgets: Forgets) -> Self {
        Self { root: root.to_owned(), log: Arc::default(), forgets }
    }

    pub(super) fn log(&self) -> Vec<Op> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn len(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap().to_owned()
    }

    fn done<T>(&self, result: io::Result<T>, op: Op) -> io::Result<T> {
        if result.is_ok() {
            self.log.lock().unwrap().push(op);
        }
        result
    }
}

fn is_of_a_shot(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "cam0")
}

impl Disk for Recorder {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.done(OsDisk.create_dir(path), Op::CreateDir(self.relative(path)))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let handle = self.len();
        let file = self.done(OsDisk.create(path), Op::Create(self.relative(path), handle))?;
        let syncs = self.forgets != Forgets::FileSync || !is_of_a_shot(path);
        Ok(Box::new(RecordedFile { file, handle, log: Arc::clone(&self.log), syncs }))
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let handle = self.len();
        let file = self.done(OsDisk.append(path), Op::Open(self.relative(path), handle))?;
        Ok(Box::new(RecordedFile { file, handle, log: Arc::clone(&self.log), syncs: true }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.done(OsDisk.rename(from, to), Op::Rename(self.relative(from), self.relative(to)))
    }
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.done(OsDisk.replace(from, to), Op::Rename(self.relative(from), self.relative(to)))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.done(OsDisk.remove_file(path), Op::Remove(self.relative(path)))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if self.forgets != Forgets::DirSync || !is_of_a_shot(path) {
            self.log.lock().unwrap().push(Op::SyncDir(self.relative(path)));
        }
        Ok(())
    }
}

#[derive(Debug)]
struct RecordedFile {
    file: Box<dyn DiskFile>,
    handle: Handle,
    log: Arc<Mutex<Vec<Op>>>,
    syncs: bool,
}

impl DiskFile for RecordedFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.log.lock().unwrap().push(Op::Write(self.handle, bytes.to_vec()));
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        if self.syncs {
            self.log.lock().unwrap().push(Op::Sync(self.handle));
        }
        Ok(())
    }
}

type Inode = usize;

#[derive(Debug, Clone, Default)]
struct File {
    /// As a program sees it.
    now: Vec<u8>,
    /// How many of its bytes are on the disk for certain.
    synced: usize,
}

#[derive(Debug, Clone)]
enum Node {
    File(File),
    /// Names as a program sees them, and as they are on the disk for certain.
    Dir { now: BTreeMap<String, Inode>, synced: BTreeMap<String, Inode> },
}

/// A change of names that is not on the disk for certain yet.
#[derive(Debug, Clone)]
struct Change {
    removes: Option<(Inode, String, Inode)>,
    adds: Option<(Inode, String, Inode)>,
    /// Folders that are still to be synced.
    waits_for: Vec<Inode>,
}

#[derive(Debug, Clone)]
struct Model {
    nodes: Vec<Node>,
    changes: Vec<Change>,
    open: BTreeMap<Handle, Inode>,
}

const ROOT: Inode = 0;

impl Model {
    fn new() -> Self {
        Self { nodes: vec![Self::dir()], changes: Vec::new(), open: BTreeMap::new() }
    }

    /// What is in a folder already, all of it on the disk.
    fn of(root: &Path) -> Self {
        let mut model = Self::new();
        model.load(root, ROOT);
        model
    }

    fn load(&mut self, path: &Path, dir: Inode) {
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let inode = self.nodes.len();
            if entry.path().is_dir() {
                self.nodes.push(Self::dir());
                self.load(&entry.path(), inode);
            } else {
                let now = fs::read(entry.path()).unwrap();
                self.nodes.push(Node::File(File { synced: now.len(), now }));
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let Node::Dir { now, synced } = &mut self.nodes[dir] else { panic!() };
            now.insert(name.clone(), inode);
            synced.insert(name, inode);
        }
    }

    fn dir() -> Node {
        Node::Dir { now: BTreeMap::new(), synced: BTreeMap::new() }
    }

    fn names(&mut self, dir: Inode) -> &mut BTreeMap<String, Inode> {
        match &mut self.nodes[dir] {
            Node::Dir { now, .. } => now,
            Node::File(_) => panic!("not a folder"),
        }
    }

    fn find(&mut self, path: &Path) -> Inode {
        path.iter().fold(ROOT, |dir, name| self.names(dir)[name.to_str().unwrap()])
    }

    fn place(&mut self, path: &Path) -> (Inode, String) {
        let dir = self.find(path.parent().unwrap());
        (dir, path.file_name().unwrap().to_str().unwrap().to_owned())
    }

    fn file(&mut self, handle: Handle) -> &mut File {
        let inode = self.open[&handle];
        match &mut self.nodes[inode] {
            Node::File(file) => file,
            Node::Dir { .. } => panic!("not a file"),
        }
    }

    fn add(&mut self, path: &Path, node: Node) {
        let (dir, name) = self.place(path);
        let inode = self.nodes.len();
        self.nodes.push(node);
        self.names(dir).insert(name.clone(), inode);
        self.changes.push(Change { removes: None, adds: Some((dir, name, inode)), waits_for: vec![dir] });
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::CreateDir(path) => self.add(path, Self::dir()),
            Op::Create(path, handle) => {
                self.open.insert(*handle, self.nodes.len());
                self.add(path, Node::File(File::default()));
            }
            Op::Open(path, handle) => {
                let inode = self.find(path);
                self.open.insert(*handle, inode);
            }
            Op::Write(handle, bytes) => self.file(*handle).now.extend(bytes),
            Op::Sync(handle) => {
                let file = self.file(*handle);
                file.synced = file.now.len();
            }
            Op::Rename(from, to) => {
                let ((from_dir, from), (to_dir, to)) = (self.place(from), self.place(to));
                let inode = self.names(from_dir).remove(&from).unwrap();
                self.names(to_dir).insert(to.clone(), inode);
                let mut waits_for = vec![from_dir, to_dir];
                waits_for.dedup();
                let (removes, adds) = (Some((from_dir, from, inode)), Some((to_dir, to, inode)));
                self.changes.push(Change { removes, adds, waits_for });
            }
            Op::Remove(path) => {
                let (dir, name) = self.place(path);
                let inode = self.names(dir).remove(&name).unwrap();
                self.changes.push(Change { removes: Some((dir, name, inode)), adds: None, waits_for: vec![dir] });
            }
            Op::SyncDir(path) => {
                let dir = self.find(path);
                self.changes.iter_mut().for_each(|change| change.waits_for.retain(|&waiting| waiting != dir));
                let (lasting, open) = self.changes.drain(..).partition(|change| change.waits_for.is_empty());
                self.changes = open;
                for change in lasting {
                    make_last(&mut self.nodes, &change);
                }
            }
        }
    }

    /// One state that a power cut could leave, as `choose` (a number below its argument) decides.
    fn cut(&self, choose: &mut dyn FnMut(usize) -> usize) -> State {
        let mut nodes = self.nodes.clone();
        for change in &self.changes {
            if choose(2) == 1 {
                make_last(&mut nodes, change);
            }
        }
        let files = nodes.iter().map(|node| match node {
            Node::File(file) => Some(file_after_cut(file, choose)),
            Node::Dir { .. } => None,
        });
        let files = files.collect();
        let folders = nodes.into_iter().map(|node| match node {
            Node::Dir { synced, .. } => synced,
            Node::File(_) => BTreeMap::new(),
        });
        State { files, folders: folders.collect() }
    }
}

fn make_last(nodes: &mut [Node], change: &Change) {
    if let Some((dir, name, inode)) = &change.removes
        && let Node::Dir { synced, .. } = &mut nodes[*dir]
        && synced.get(name) == Some(inode)
    {
        synced.remove(name);
    }
    if let Some((dir, name, inode)) = &change.adds
        && let Node::Dir { synced, .. } = &mut nodes[*dir]
    {
        synced.insert(name.clone(), *inode);
    }
}

fn file_after_cut(file: &File, choose: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
    let File { now, synced } = file;
    let open = now.len() - synced;
    if open == 0 {
        return now.clone();
    }
    let mut bytes = now.clone();
    match choose(5) {
        0 => bytes.truncate(*synced),
        1 => {}
        2 => bytes[*synced..].fill(0),
        3 => bytes.truncate(synced + choose(open)),
        _ => {
            let from = synced + choose(open);
            let to = from + 1 + choose(now.len() - from);
            bytes[from..to].fill(0);
        }
    }
    bytes
}

/// What a power cut left.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    files: Vec<Option<Vec<u8>>>,
    folders: Vec<BTreeMap<String, Inode>>,
}

impl State {
    /// Puts it into an empty folder.
    pub(super) fn write_to(&self, root: &Path) {
        self.write(ROOT, root);
    }

    fn write(&self, dir: Inode, path: &Path) {
        for (name, &inode) in &self.folders[dir] {
            let path = path.join(name);
            match &self.files[inode] {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => {
                    fs::create_dir(&path).unwrap();
                    self.write(inode, &path);
                }
            }
        }
    }
}

/// States that a power cut after `done` operations (or during the last of them) could leave, no two the same:
/// with nothing that is not synced, with everything, every choice in turn while there are few, else `samples`
/// by chance. `before` is what the folder had at first.
pub(super) fn states_after(before: Option<&Path>, done: &[Op], samples: usize, seed: u64) -> Vec<State> {
    let mut model = before.map_or_else(Model::new, Model::of);
    for op in done {
        model.apply(op);
    }
    let mut states = vec![model.cut(&mut |_| 0), model.cut(&mut |_| 1)];
    let unsynced_files = |node: &&Node| matches!(node, Node::File(file) if file.synced < file.now.len());
    let open_files = model.nodes.iter().filter(unsynced_files).count() as u32;
    let choices = 2_usize.saturating_pow(model.changes.len() as u32).saturating_mul(3_usize.saturating_pow(open_files));
    if choices <= samples {
        // Names in every subset, files without, with, and with zeroed unsynced bytes.
        for choice in 0..choices {
            let mut rest = choice;
            states.push(model.cut(&mut |below| {
                let base = if below == 2 { 2 } else { 3 };
                let digit = rest % base;
                rest /= base;
                digit.min(below - 1)
            }));
        }
    }
    let mut random = seed ^ ((done.len() as u64) << 32);
    for _ in 0..samples {
        states.push(model.cut(&mut |below| next(&mut random) as usize % below));
    }
    let mut seen = std::collections::HashSet::new();
    states.retain(|state| seen.insert(state.clone()));
    states
}

/// The next number of the SplitMix64 sequence.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) >> 1
}
