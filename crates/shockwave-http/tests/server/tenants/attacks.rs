//! What the first of two tenants sends: a request for each way in which one may end, and that end.

/// What nobody but its sender may see. No byte of it is in anything that the other tenant or the
/// server says, so that a single one tells.
pub(super) const MARKER: &str = "~Q~X~Y~Z";

/// So many bytes of the marker.
pub(super) fn marked(bytes: usize) -> String {
    MARKER.repeat(bytes / MARKER.len() + 1)[..bytes].into()
}

/// A request, or less or more than one, and what must come of it.
pub(super) struct Attack {
    pub(super) request: String,
    /// Whether its sender then closes its write side.
    pub(super) shuts: bool,
    /// The statuses of all answers, and how the connection ends, to one who reads them.
    pub(super) end: String,
}

impl std::fmt::Display for Attack {
    /// What was sent, short enough to be read.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.request.replace(&MARKER.repeat(10), "").escape_debug().fmt(f)
    }
}

/// A head with the marker in it.
pub(super) fn head(line: &str, fields: &str) -> String {
    let secret = marked(3000);
    format!("{line} HTTP/1.1\r\nHost: a\r\nX-Secret: {secret}\r\n{fields}\r\n\r\n")
}

/// Each request twice: its sender waits, or has closed its write side.
pub(super) fn attacks() -> Vec<Attack> {
    let all = [whole_ones(), broken_heads(), broken_bodies(), unruly_handlers()].concat();
    let both = all.into_iter().flat_map(|(end, end_if_shut, request)| {
        assert!(request.contains(&MARKER.repeat(100)), "it has something to leak: {request}");
        let attack = |shuts, end| Attack { request: request.clone(), shuts, end };
        [attack(false, end), attack(true, end_if_shut)]
    });
    both.collect()
}

/// The ends where the sender waits and where it has closed its write side, and what it sent.
type Row = (String, String, String);

/// Answered, after which another request might follow.
fn kept(statuses: &str, request: String) -> Row {
    (format!("{statuses} open"), format!("{statuses} closed"), request)
}

/// Answered, after which the server closes: and throws away what comes, for a while or until the
/// sender has closed its write side.
fn closed(status: &str, request: String) -> Row {
    always(&format!("{status} closed"), request)
}

/// Less than a whole request: it is late, or truncated.
fn cut(request: String) -> Row {
    ("408 closed".into(), "400 closed".into(), request)
}

/// The same end in both cases.
fn always(end: &str, request: String) -> Row {
    (end.into(), end.into(), request)
}

const LENGTH: &str = "Content-Length: 20000";
const CHUNKED: &str = "Transfer-Encoding: chunked";

fn post(path: &str, fields: &str, body: &str) -> String {
    head(&format!("POST {path}"), fields) + body
}

/// A chunk of 20,000 bytes.
fn chunk() -> String {
    format!("4e20\r\n{}\r\n", marked(20_000))
}

fn whole_ones() -> Vec<Row> {
    let body = marked(20_000);
    let echo = post("/echo", LENGTH, &body);
    let trailers = format!("{}0\r\nX-Sum: {}\r\n\r\n", chunk(), marked(2000));
    vec![
        kept("200", echo.clone()),
        kept("200 200 200", echo.repeat(3)),
        kept("200", post("/mirror", CHUNKED, &trailers)),
        kept("200", post("/back", CHUNKED, &trailers)),
        kept("404", post("/nowhere", LENGTH, &body)),
        kept("405", post("/", LENGTH, &body)),
    ]
}

fn broken_heads() -> Vec<Row> {
    let body = marked(20_000);
    let with = |fields: &str| post("/echo", fields, &body);
    let fields = format!("X: {}\r\n", marked(100)).repeat(30);
    vec![
        cut(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", marked(5000))),
        // No HTTP at all: in the first byte, in the first line, and in one that never ends.
        closed("400", format!("\x16\x03\x01{}", marked(5000))),
        closed("400", format!("{MARKER} {}\r\n\r\n", marked(5000))),
        cut(format!("{MARKER} {}", marked(5000))),
        closed("400", with("Content-Length: 1\r\nContent-Length: 1")),
        closed("400", with("Content-Length: 20000\r\nTransfer-Encoding: chunked")),
        closed("400", with("bad field")),
        closed("400", head("POST /", "X: y").replace("Host: a\r\n", "")),
        closed("413", with("Content-Length: 200000")),
        closed("414", format!("GET /{} HTTP/1.1\r\n", marked(9000))),
        closed("417", with("Content-Length: 20000\r\nExpect: miracles")),
        closed("431", with(&format!("X-Much: {}", marked(9000)))),
        closed("431", with(fields.trim_end())),
        closed("501", with("Transfer-Encoding: gzip")),
        closed("501", with(LENGTH).replacen("POST", &marked(40), 1)),
        closed("505", with(LENGTH).replacen("HTTP/1.1", "HTTP/2.0", 1)),
    ]
}

fn broken_bodies() -> Vec<Row> {
    let body = marked(20_000);
    let chunk = chunk();
    let chunks = |rest: &str| post("/echo", CHUNKED, &(chunk.clone() + rest));
    // All would be whole if it were not for the one thing that is wrong.
    let sized = |size: &str| chunks(&format!("{size}\r\n{body}\r\n0\r\n\r\n"));
    let trailed = |fields: &str| chunks(&format!("0\r\n{fields}\r\n\r\n"));
    vec![
        cut(post("/echo", LENGTH, &body[..10_000])),
        cut(post("/echo", CHUNKED, &chunk[..9000])),
        cut(chunks(&format!("1;{}", marked(1000)))),
        cut(chunks(&format!("0\r\nX: {}", marked(1000)))),
        closed("413", chunks(&(chunk.repeat(5) + "0\r\n\r\n"))),
        // Sizes: none, one too long, and one that is wrong.
        closed("400", sized(&marked(100))),
        closed("400", sized(&format!("{}4e20", "0".repeat(20)))),
        closed("400", sized("4e1f")),
        // Extensions: malformed, with a control byte, and too long.
        closed("400", sized(&format!("4e20;{MARKER}=;"))),
        closed("400", sized(&format!("4e20;{MARKER}=\"\x01\""))),
        closed("400", sized(&format!("4e20;{}", marked(5000)))),
        // Trailers: malformed, with a control byte, too long, and too many.
        closed("400", trailed(&format!("{} ", marked(1000)))),
        closed("400", trailed(&format!("X: {MARKER}\x01"))),
        closed("431", trailed(&format!("X: {}", marked(5000)))),
        closed("431", trailed(format!("X: {MARKER}\r\n").repeat(30).trim_end())),
    ]
}

fn unruly_handlers() -> Vec<Row> {
    let body = marked(20_000);
    let chunk = chunk();
    let get = |path: &str| head(&format!("GET {path}"), "X: y");
    vec![
        closed("500", post("/panics", LENGTH, &body)),
        closed("500", post("/errs", LENGTH, &body)),
        closed("500", post("/lies", LENGTH, &body)),
        closed("503", post("/slow", LENGTH, &body)),
        // An answer that stops, one that fails, and one that panics.
        always("200 200 open", post("/echo", LENGTH, &body) + &get("/stops")),
        always("200 Other", post("/fails", LENGTH, &body)),
        always("200 Other", post("/bursts", LENGTH, &body)),
        // Answers that do not wait for the body: it is here, on its way, or too long.
        kept("200", post("/deaf", LENGTH, &body)),
        always("200 closed", post("/deaf", LENGTH, &body[..10_000])),
        closed("200", post("/deaf", "Content-Length: 90000", &body)),
        closed("200", post("/deaf", CHUNKED, &chunk)),
        closed("200", post("/deaf", "Content-Length: 20000\r\nExpect: 100-continue", "")),
        closed("200", post("/sips", "Content-Length: 90000", &body)),
        closed("200", post("/sips", CHUNKED, &chunk)),
        // A body that is its own answer, and breaks after that has begun.
        always("200 InvalidData", post("/back", CHUNKED, &(chunk + "zz\r\n"))),
    ]
}

/// Requests cut in two, and the answers that have begun in between.
pub(super) fn halves() -> [(String, String, &'static str); 4] {
    let chunk = format!("3e8\r\n{}\r\n", marked(1000));
    let last = chunk.clone() + "0\r\n\r\n";
    let (body, rest) = (marked(1000), marked(19_000));
    [
        (post("/echo", LENGTH, &body), rest.clone(), ""),
        (post("/echo", CHUNKED, &chunk), last.clone(), ""),
        (post("/back", LENGTH, &body), rest, "200 "),
        (post("/back", CHUNKED, &chunk), last, "200 "),
    ]
}
