//! The file by which the processes of the simulated rig share its state: the daemon writes it, cameras read it.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use super::World;
use crate::durable::{self, Readers};
use crate::model::{AxisConfig, Pose};
use crate::rig::axes::{MotionError, MoveObserver, PlannedLeg};

/// One who reads a [`World`]'s file again and again, and makes it out only where it has changed.
#[derive(Debug)]
pub struct WorldReader {
    path: PathBuf,
    last: Option<(Vec<u8>, Rc<World>)>,
}

impl WorldReader {
    /// Of what a [`WorldFile`] writes at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, last: None }
    }

    /// The present state.
    pub fn world(&mut self) -> Result<Rc<World>, WorldError> {
        let read = std::fs::read(&self.path);
        let text = read.map_err(|source| WorldError::Read { path: self.path.clone(), source })?;
        if let Some((before, world)) = &self.last
            && *before == text
        {
            return Ok(Rc::clone(world));
        }
        let parsed = serde_json::from_slice(&text);
        let parsed = parsed.map_err(|source| WorldError::Parse { path: self.path.clone(), source })?;
        let world = Rc::new(parsed);
        self.last = Some((text, Rc::clone(&world)));
        Ok(world)
    }
}

/// The one writer of a [`World`]'s file, shared by the simulated axes and lights.
#[derive(Debug)]
pub struct WorldFile {
    path: PathBuf,
    world: Mutex<World>,
}

impl WorldFile {
    /// Writes `world` to `path`, whose folder must exist, and keeps the file up to date from now on.
    pub fn create(path: PathBuf, world: World) -> io::Result<Self> {
        write_atomically(&path, &world)?;
        Ok(Self { path, world: Mutex::new(world) })
    }

    /// The file that simulated cameras read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A copy of the present state.
    pub fn world(&self) -> World {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the state and writes it; if that fails, nothing has changed.
    pub fn update<T>(&self, change: impl FnOnce(&mut World) -> T) -> io::Result<T> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = world.clone();
        let result = change(&mut changed);
        write_atomically(&self.path, &changed)?;
        *world = changed;
        Ok(result)
    }
}

impl MoveObserver for WorldFile {
    /// Simulated cameras see the moves that real motors make.
    fn about_to_move(&self, from: Pose, legs: &[PlannedLeg], axes: &[AxisConfig]) -> Result<(), MotionError> {
        let tell = |world: &mut World| {
            world.place(from);
            for leg in legs {
                world.push_move(leg.start_ns, leg.to, axes, 1.0);
            }
        };
        self.update(tell).map_err(|source| MotionError::World { path: self.path.clone(), source })
    }
}

/// Why the simulated rig's state is not known.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// No file that can be read.
    #[error("cannot read the simulated rig's state {}: {source}; is the daemon running?", path.display())]
    Read {
        /// The file that was to be read.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Not what a daemon of this version writes.
    #[error("the simulated rig's state {} is not readable: {source}; restart the daemon", path.display())]
    Parse {
        /// The file that was read.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

/// Not synced: the state does not outlive the daemon.
fn write_atomically(path: &Path, world: &World) -> io::Result<()> {
    durable::swap(path, &serde_json::to_vec(world)?, Readers::Owner)
}
