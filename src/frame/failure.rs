//! Why a frame was not stored.

use serde::Serialize;

use crate::plan::ShotIndex;

/// Why a [`Store`](super::Store) did not store an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreRefused {
    /// Where to look.
    pub kind: FailureKind,
    /// For people.
    pub message: String,
}

/// A job that was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreFailed {
    /// Which shot.
    pub shot: ShotIndex,
    /// The attempt that took the frame, counted from 1.
    pub attempt: u32,
    /// Where to look.
    pub kind: FailureKind,
    /// For people.
    pub message: String,
}

/// Where to look when a job failed. Every kind pauses the scan: its shot is taken again when it is resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The frame cannot be encoded: the camera's settings, or its driver.
    Frame,
    /// The file system failed: the disk and its cable.
    Storage,
    /// There is no space left: make some.
    DiskFull,
    /// Nothing more can be stored until the dataset is recovered: resume.
    StorageUnusable,
}

impl FailureKind {
    /// As in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Storage => "storage",
            Self::DiskFull => "disk_full",
            Self::StorageUnusable => "storage_unusable",
        }
    }
}
