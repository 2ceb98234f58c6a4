//! Timeouts: how long a peer, or a handler, may take for each thing.

use std::time::Duration;

/// How long each thing may take. Each field says its default, and what follows when it is over.
/// [`Duration::MAX`] means for ever.
///
/// ```
/// use std::time::Duration;
/// use shockwave_http::Timeouts;
///
/// let timeouts = Timeouts { idle: Duration::from_secs(5), ..Default::default() };
/// assert_eq!(timeouts.head, Duration::from_secs(10));
/// ```
///
/// All of them share one timer for each connection, which is set when the connection waits and
/// mostly left where it is, so none costs anything while requests come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first byte of a head to its last. Default: 10 s. Then: 408.
    ///
    /// Not renewed by progress, so that a client that sends a byte now and then gains nothing.
    pub head: Duration,
    /// Between requests, and before the first. Default: 60 s. Then: the connection closes without a
    /// word.
    pub idle: Duration,
    /// Between two pieces of a request's body, while the handler waits for one. Default: 30 s.
    /// Then: 408, or, if the answer has begun, the connection ends.
    pub body: Duration,
    /// Between two pieces of an answer that the peer accepts. Default: 30 s. Then: the connection
    /// ends.
    pub write: Duration,
    /// From the request, or the last piece of its body that was handed over, to the answer's head.
    /// Default: for ever, since a handler knows best what it waits for. Then: the handler is
    /// dropped where it waits, and 503 is answered.
    pub handler: Duration,
    /// After an answer that leaves something unread: how long what still comes is read and thrown
    /// away, so that the answer arrives. Default: 2 s. Then: the connection ends.
    pub linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            handler: Duration::MAX,
            linger: Duration::from_secs(2),
        }
    }
}
