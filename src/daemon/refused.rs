//! Why what is wanted of a scan, under way or not, is not done.

use crate::dataset::{DescribeError, ScanId};
use crate::plan::AddError;
use crate::run::{ExtendRefused, RetakeRefused};
use crate::scan::Unfit;

use super::error::{Reason, StartError};

/// Why a shot is not taken again.
#[derive(Debug, thiserror::Error)]
pub enum RetakeError {
    /// There is no such scan, or its dataset cannot be used.
    #[error(transparent)]
    Scan(#[from] StartError),
    /// The shot cannot be.
    #[error(transparent)]
    Shot(#[from] RetakeRefused),
    /// The scan that was asked ended before it heard of that.
    #[error("scan {0} ended at this moment: ask again")]
    Ended(ScanId),
}

impl From<&RetakeError> for Reason {
    fn from(error: &RetakeError) -> Self {
        match error {
            RetakeError::Scan(error) => error.into(),
            RetakeError::Shot(RetakeRefused::Unknown { .. }) => Self::NotFound,
            RetakeError::Shot(RetakeRefused::InHand(_) | RetakeRefused::Stopping(_))
            | RetakeError::Ended(_) => Self::InUse,
            RetakeError::Shot(RetakeRefused::Wedged(_)) => Self::Camera,
            RetakeError::Shot(RetakeRefused::NotKept { .. }) => Self::Storage,
        }
    }
}

/// Why points are not added to a scan.
#[derive(Debug, thiserror::Error)]
pub enum ExtendError {
    /// There is no such scan, or its dataset cannot be used.
    #[error(transparent)]
    Scan(#[from] StartError),
    /// Points that cannot be reached, or that the scan cannot have.
    #[error(transparent)]
    Points(#[from] AddError),
    /// The scan under way does not take them.
    #[error(transparent)]
    Refused(#[from] ExtendRefused),
    /// The scan that was asked ended before it heard of that.
    #[error("scan {0} ended at this moment: ask again")]
    Ended(ScanId),
}

impl From<&ExtendError> for Reason {
    fn from(error: &ExtendError) -> Self {
        match error {
            ExtendError::Scan(error) => error.into(),
            ExtendError::Points(_) | ExtendError::Refused(ExtendRefused::Unaddable(_)) => Self::Plan,
            ExtendError::Refused(ExtendRefused::Stopping) | ExtendError::Ended(_) => Self::InUse,
            ExtendError::Refused(ExtendRefused::NotKept { .. }) => Self::Storage,
        }
    }
}

/// Why a scan is not called something else.
#[derive(Debug, thiserror::Error)]
pub enum ScanDescribeError {
    /// There is no such scan, or its dataset cannot be used.
    #[error(transparent)]
    Scan(#[from] StartError),
    /// That cannot be said of one.
    #[error(transparent)]
    Unfit(Unfit),
    /// It ended at this moment.
    #[error("the scan ended at this moment: ask again")]
    Ended,
}

impl From<DescribeError> for ScanDescribeError {
    fn from(error: DescribeError) -> Self {
        match error {
            DescribeError::Unfit(unfit) => Self::Unfit(unfit),
            DescribeError::Open(error) => Self::Scan(error.into()),
            DescribeError::Ended => Self::Ended,
        }
    }
}

impl From<&ScanDescribeError> for Reason {
    fn from(error: &ScanDescribeError) -> Self {
        match error {
            ScanDescribeError::Scan(error) => error.into(),
            ScanDescribeError::Unfit(_) => Self::Failed,
            ScanDescribeError::Ended => Self::InUse,
        }
    }
}
