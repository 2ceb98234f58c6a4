//! One look at a server: its metrics as JSON, over HTTP.

use std::time::Duration;

use anyhow::{Context, bail};
use ureq::Agent;

use crate::parse::MetricsUrl;
use crate::reading::Reading;

/// How long a server may take to answer. One that is alive takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes of an answer, at most: a pool of 32 classes takes some 12 KiB.
const BYTES_MAX: u64 = 1 << 20;

/// Reads a server's metrics.
pub(crate) fn fetch(url: &MetricsUrl) -> anyhow::Result<Reading> {
    let text = fetch_text(url)?;
    let value: serde_json::Value = serde_json::from_str(&text)
        .with_context(|| format!("{url} answers with something other than JSON"))?;
    if value.pointer("/pool/pools").is_none() {
        bail!("{url} answers with JSON that has no pool's metrics");
    }
    serde_json::from_value(value).with_context(|| format!("{url} answers with other metrics"))
}

/// Reads what is there, as text.
pub(crate) fn fetch_text(url: &MetricsUrl) -> anyhow::Result<String> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        // Where a proxy is set, it knows nothing of this machine's servers.
        .proxy(None)
        .build()
        .into();
    let failed = || format!("cannot read {url}");
    let mut response = agent.get(url.to_string()).call().map_err(plain).with_context(failed)?;
    let body = response.body_mut().with_config().limit(BYTES_MAX);
    body.read_to_string().map_err(plain).with_context(failed)
}

/// An error as those who wait for a server know it.
fn plain(error: ureq::Error) -> anyhow::Error {
    match error {
        ureq::Error::Io(error) => error.into(),
        other => other.into(),
    }
}
