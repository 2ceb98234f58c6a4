//! `shockwave top` in a terminal: what it shows, which keys it hears, and what it leaves behind.
//! Run by `cargo xtask terminal`, which brings tmux.

use serde_json::Value;

use crate::server::Server;
use crate::support::{number, whole};
use crate::tmux::Terminal;

fn top(address: &str) -> Terminal {
    Terminal::run(&["top", &format!("http://{address}/"), "--interval", "100ms"])
}

/// The state, which is the last thing on the first row.
fn is(state: &str) -> impl Fn(&str) -> bool {
    move |screen| screen.lines().next().is_some_and(|row| row.ends_with(state))
}

/// The row of the class of 16 KiB, which only `/bytes/` takes from. Columns are two spaces apart,
/// and no text has two.
fn row(screen: &str) -> Option<Vec<&str>> {
    let row = screen.lines().find(|row| row.starts_with("16 KiB "))?;
    Some(row.split("  ").map(str::trim).filter(|text| !text.is_empty()).collect())
}

/// A number as people read it, without what stands behind it.
fn read(text: &str) -> Option<f64> {
    text.split([' ', '/', '\n']).next()?.replace(',', "").parse().ok()
}

/// A column of that row as a number.
fn figure(screen: &str, column: usize) -> Option<f64> {
    row(screen).and_then(|row| read(row.get(column)?))
}

const GETS_PER_SECOND: usize = 1;
const GETS: usize = 4;

/// The number after these words on the screen.
fn after(screen: &str, words: &str) -> Option<f64> {
    screen.split_once(words).and_then(|(_, rest)| read(rest))
}

/// Waits until somebody besides us has asked the server so often.
fn it_looks_again(server: &Server, times: u64) {
    let mut ours = whole(&server.metrics(), "/server/requests_total");
    server.becomes(|metrics| {
        ours += 1;
        whole(metrics, "/server/requests_total") >= ours + times
    });
}

/// The same class in the metrics.
fn class(metrics: &Value) -> &Value {
    let classes = metrics["pool"]["pools"].as_array().expect("classes");
    classes.iter().find(|class| class["size"] == 16_384).expect("a class of 16 KiB")
}

#[test]
#[ignore = "needs tmux: cargo xtask terminal"]
fn figures_move_under_load_and_are_those_of_the_metrics() {
    let server = Server::start(&["--budget", "64m", "--warmup", "4"]);
    let terminal = top(&server.address);
    let first = terminal.becomes("that it is live", is("live"));
    let title = format!("shockwave {} · {} · up ", server.address, env!("CARGO_PKG_VERSION"));
    assert!(first.starts_with(&title), "{first}");
    assert_eq!(figure(&first, GETS), Some(0.0), "{first}");
    let busy = terminal.becomes("rates", |screen| {
        server.get("/bytes/1m");
        figure(screen, GETS_PER_SECOND).is_some_and(|rate| rate > 0.0)
            && after(screen, "\nGets ").is_some_and(|rate| rate > 0.0)
            && after(screen, "\nRequests ").is_some_and(|rate| rate > 0.0)
    });
    assert!(after(&busy, "Gets/s, at most ").is_some_and(|rate| rate > 0.0), "{busy}");
    assert!(busy.contains(" of 64 MiB") && busy.contains("99 % within"), "{busy}");
    // Nobody asks for bytes any more, so that both have to say the same.
    let metrics = server.becomes(|metrics| class(metrics)["in_use"] == 0);
    let class = class(&metrics);
    let gets = number(class, "/gets");
    assert!(gets >= 64.0, "a MiB in pieces of 16 KiB, and {gets} gets");
    let calm = terminal.becomes("all gets, and that there are no more", |screen| {
        figure(screen, GETS) == Some(gets) && figure(screen, GETS_PER_SECOND) == Some(0.0)
    });
    let row = row(&calm).expect("a row");
    let shown = |column: usize| read(row[column]).unwrap_or_else(|| panic!("{row:?}"));
    for (column, name) in [(3, "/hits"), (5, "/gets_cell")] {
        let share = number(class, name) / gets * 100.0;
        assert!((shown(column) - share).abs() < 0.02, "{name}: {share} %, and {row:?}");
    }
    for (column, name) in [(6, "/refused"), (7, "/in_use")] {
        assert_eq!(shown(column), number(class, name), "{name}: {row:?}");
    }
    let colored = terminal.colored_screen();
    // Among 8 colors or among 256, as tmux likes it.
    assert!(is("2mlive")(&colored), "in green: {colored:?}");
}

#[test]
#[ignore = "needs tmux: cargo xtask terminal"]
fn it_pauses_and_goes_on() {
    let server = Server::start(&[]);
    let terminal = top(&server.address);
    terminal.becomes("that it is live", is("live"));
    terminal.press("p");
    let paused = terminal.becomes("that it is paused", is("paused"));
    server.get("/bytes/1m");
    it_looks_again(&server, 10);
    assert_eq!(terminal.screen(), paused);
    assert_eq!(figure(&paused, GETS), Some(0.0), "{paused}");
    terminal.press("p");
    terminal.becomes("that it is live", is("live"));
    terminal.becomes("what was missed", |screen| figure(screen, GETS) >= Some(64.0));
}

#[test]
#[ignore = "needs tmux: cargo xtask terminal"]
fn it_fits_itself_to_any_window() {
    let server = Server::start(&[]);
    let terminal = top(&server.address);
    let wide = terminal.becomes("that it is live", is("live"));
    let has = |screen: &str, words: &str| screen.lines().any(|row| row.contains(words));
    assert!(has(&wide, "Refused  In use") && has(&wide, "q ends"), "{wide}");
    terminal.resize(40, 12);
    let narrow = terminal.becomes("what is left out", |screen| {
        is("live")(screen) && has(screen, "Class") && !has(screen, "By core")
    });
    assert!(narrow.lines().count() <= 12, "{narrow}");
    assert!(has(&narrow, "Hit rate") && has(&narrow, "q ends"), "{narrow}");
    for (columns, rows) in [(10, 3), (1, 1), (300, 80), (3, 60), (200, 2)] {
        terminal.resize(columns, rows);
        it_looks_again(&server, 3);
    }
    server.get("/bytes/1m");
    terminal.resize(100, 30);
    let again = terminal.becomes("what happened since", |screen| {
        is("live")(screen) && figure(screen, GETS) >= Some(64.0)
    });
    assert!(has(&again, "Refused  In use") && has(&again, "q ends"), "{again}");
}

#[test]
#[ignore = "needs tmux: cargo xtask terminal"]
fn it_says_that_the_server_is_gone_and_finds_it_again() {
    let server = Server::start(&[]);
    let address = server.address.clone();
    let terminal = top(&address);
    server.get("/bytes/1m");
    terminal.becomes("gets", |screen| figure(screen, GETS) == Some(64.0));
    drop(server);
    // A look that was under way may end in another way, and the next does not.
    let gone = terminal.shows("reconnecting: Connection refused");
    assert_eq!(figure(&gone, GETS), Some(64.0), "what was known stays: {gone}");
    let server = Server::start_at(&address, &[]);
    let back = terminal.becomes("that it is live", is("live"));
    assert_eq!(figure(&back, GETS), Some(0.0), "{back}");
    let busy = terminal.becomes("rates", |screen| {
        server.get("/bytes/160k");
        figure(screen, GETS_PER_SECOND).is_some_and(|rate| rate > 0.0)
    });
    assert!(!busy.contains("reconnecting") && !busy.contains("NaN"), "{busy}");
}

#[test]
#[ignore = "needs tmux: cargo xtask terminal"]
fn it_waits_for_a_server_that_is_not_there_yet() {
    let address = Server::start(&[]).address.clone();
    let terminal = top(&address);
    terminal.shows("reconnecting: ");
    let _server = Server::start_at(&address, &[]);
    let there = terminal.becomes("that it is live", is("live"));
    assert!(row(&there).is_some(), "{there}");
}

#[test]
#[ignore = "needs tmux: cargo xtask terminal"]
fn it_ends_by_each_of_its_keys_and_leaves_the_terminal_as_it_was() {
    let server = Server::start(&[]);
    for key in ["q", "Escape", "C-c"] {
        let terminal = top(&server.address);
        let shown = terminal.becomes("that it is live", is("live"));
        assert!(!shown.contains("what was here before"), "{key}: {shown}");
        assert_eq!(terminal.has_alternate_screen_and_cursor(), (true, false), "{key}");
        terminal.press("x");
        terminal.press("Enter");
        terminal.press(key);
        let left = terminal.shows("settings ");
        let rows: Vec<_> = left.lines().filter(|row| !row.is_empty()).collect();
        let expected = ["what was here before", "ended with 0", "settings as before"];
        assert_eq!(rows, expected, "{key}");
        assert_eq!(terminal.has_alternate_screen_and_cursor(), (false, true), "{key}");
    }
}
