//! Why a load test did not come to a result.

use std::{error, fmt, io};

use crate::error::{BuildError, GetError};

/// Why a load test did not come to a result. From [`run`](super::run).
///
/// ```
/// use shockwave::loadtest::{run, LoadTestConfig};
///
/// let error = run(&LoadTestConfig { workers: 0, ..LoadTestConfig::default() }).unwrap_err();
/// assert!(error.is_config());
/// assert_eq!(error.to_string(), "workers are 0; expected 1 to 4096");
/// ```
#[derive(Debug)]
pub struct LoadTestError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Config(String),
    Pool(BuildError),
    Get(GetError),
    Thread(io::Error),
}

impl LoadTestError {
    pub(super) fn config(message: String) -> Self {
        Self { kind: Kind::Config(message) }
    }

    pub(super) fn thread(error: io::Error) -> Self {
        Self { kind: Kind::Thread(error) }
    }

    /// Whether a value of the configuration cannot be tested; the message says what was expected.
    #[must_use]
    pub fn is_config(&self) -> bool {
        matches!(self.kind, Kind::Config(_))
    }

    /// Whether the pool could not be built. The source is the [`BuildError`].
    #[must_use]
    pub fn is_pool(&self) -> bool {
        matches!(self.kind, Kind::Pool(_))
    }

    /// Whether a buffer could not be had: the system has no memory. The source is the [`GetError`].
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self.kind, Kind::Get(_))
    }

    /// Whether the system did not let a worker's thread start.
    #[must_use]
    pub fn is_thread(&self) -> bool {
        matches!(self.kind, Kind::Thread(_))
    }
}

impl fmt::Display for LoadTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Config(message) => f.write_str(message),
            Kind::Pool(_) => f.write_str("the pool could not be built"),
            Kind::Get(_) => f.write_str("a worker could not have a buffer"),
            Kind::Thread(_) => f.write_str("a worker's thread could not be started"),
        }
    }
}

impl error::Error for LoadTestError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.kind {
            Kind::Config(_) => None,
            Kind::Pool(error) => Some(error),
            Kind::Get(error) => Some(error),
            Kind::Thread(error) => Some(error),
        }
    }
}

impl From<BuildError> for LoadTestError {
    fn from(error: BuildError) -> Self {
        Self { kind: Kind::Pool(error) }
    }
}

impl From<GetError> for LoadTestError {
    fn from(error: GetError) -> Self {
        Self { kind: Kind::Get(error) }
    }
}
