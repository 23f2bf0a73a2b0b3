//! Why a job came to nothing.

/// Why a job came to nothing. Constant texts: no data and no counts of rows are in them, and whoever sees one learns only
/// that a job which was charged did not end, which the promise names as its residual channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SandboxFault {
    /// The job does not fit its module or the limits; [`crate::MapSpec::check`] says why.
    #[error("the job does not fit its module")]
    Spec,
    /// The worker's executable cannot be started.
    #[error("the worker cannot be started")]
    Spawn,
    /// The worker does not take the module.
    #[error("the worker refuses the module")]
    Refused,
    /// The worker did not get ready in time.
    #[error("the worker does not get ready")]
    NotReady,
    /// Workers ended before their work did, more often than a job may see.
    #[error("workers ended too often")]
    Crashes,
    /// A unit alone ran into the watchdog. Time must not decide a result, so there is none.
    #[error("the watchdog ended a unit")]
    Watchdog,
    /// The rows could not be read.
    #[error("the rows cannot be read")]
    Rows,
    /// The columns are not what a job reads, or the column of units is not the last.
    #[error("the columns are not those of a job")]
    Columns,
    /// The runs do not cover the rows as whole units in order.
    #[error("the rows are not whole units in order")]
    Units,
    /// A task of the operator stopped.
    #[error("a walk stopped")]
    Stopped,
}
