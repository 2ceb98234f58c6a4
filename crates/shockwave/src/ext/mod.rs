//! What features add: one file each, and no other file knows of them.

#[cfg(feature = "bytes")]
mod bytes;
#[cfg(any(
    feature = "metrics",
    feature = "opentelemetry",
    feature = "prometheus",
    feature = "prometheus-client"
))]
mod families;
#[cfg(any(
    feature = "metrics",
    feature = "opentelemetry",
    feature = "prometheus",
    feature = "prometheus-client"
))]
mod family;
#[cfg(feature = "metrics")]
pub mod metrics_facade;
#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
#[cfg(feature = "prometheus")]
pub mod prometheus;
#[cfg(feature = "prometheus-client")]
pub mod prometheus_client;
#[cfg(feature = "serde")]
mod serde;
