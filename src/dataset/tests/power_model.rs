//! What is in memory and what is on the disk, and what a power cut can make of it: see [`super::power`].

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use super::power::{Handle, Op};

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
    Dir {
        now: BTreeMap<String, Inode>,
        synced: BTreeMap<String, Inode>,
    },
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
                self.changes.push(Change {
                    removes: Some((dir, name, inode)),
                    adds: None,
                    waits_for: vec![dir],
                });
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
            if let Some(bytes) = &self.files[inode] {
                fs::write(path, bytes).unwrap();
            } else {
                fs::create_dir(&path).unwrap();
                self.write(inode, &path);
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
    let choices =
        2_usize.saturating_pow(model.changes.len() as u32).saturating_mul(3_usize.saturating_pow(open_files));
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
    let mut random = seed ^ ((done.len() as u64) << 32) ^ (of_this_commit() << 16);
    for _ in 0..samples {
        states.push(model.cut(&mut |below| next(&mut random) as usize % below));
    }
    let mut seen = HashSet::new();
    states.retain(|state| seen.insert(state.clone()));
    states
}

/// How many samples: `full` with `SCANNER_TEST_FULL` (`make test-crash`), else `short`.
pub(super) fn unless_full(short: usize, full: usize) -> usize {
    if std::env::var_os("SCANNER_TEST_FULL").is_some() { full } else { short }
}

/// For other samples with each commit: `SCANNER_TEST_SEED`, 0 if unset.
pub(super) fn of_this_commit() -> u64 {
    std::env::var("SCANNER_TEST_SEED").map_or(0, |seed| seed.parse().unwrap())
}

/// The next number of the `SplitMix64` sequence.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) >> 1
}
