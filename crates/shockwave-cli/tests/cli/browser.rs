//! The dashboard in a browser: what it shows, and to whom. Run by `cargo xtask browser`, which
//! brings the browser.

use serde_json::Value;

use crate::chromium::Browser;
use crate::server::Server;
use crate::support::whole;

const LIVE: &str = "document.getElementById('status').textContent === 'Live'";

fn dashboard(server: &Server) -> Browser {
    let mut browser = Browser::open(&format!("http://{}/", server.address));
    browser.becomes("document.readyState === 'complete'");
    browser.becomes(LIVE);
    browser
}

/// The texts of the row of the class of 16 KiB, which only `/bytes/` takes from.
fn row(browser: &mut Browser) -> Vec<String> {
    let cells = browser.value(
        "[...document.querySelectorAll('#classes tr')].map((row) => [...row.cells]
            .map((cell) => cell.textContent)).find(([size]) => size === '16 KiB') ?? []",
    );
    serde_json::from_value(cells).expect("texts")
}

#[test]
#[ignore = "needs Chromium: cargo xtask browser"]
fn values_move_under_load_and_are_those_of_the_metrics() {
    let server = Server::start(&["--budget", "64m", "--warmup", "4"]);
    let mut browser = dashboard(&server);
    let gets = row(&mut browser)[4].parse::<u64>();
    assert!(gets.is_ok_and(|gets| gets < 100), "there is little yet");
    browser.value(
        "fetch('/bytes/40m').then((response) => response.arrayBuffer())
            .then((bytes) => { window.fetched = bytes.byteLength; }); true",
    );
    // Rates are of the last ten seconds, so that one is seen while the load is young.
    browser.becomes(
        "[...document.querySelectorAll('#classes tr')].some((row) =>
            row.cells[0].textContent === '16 KiB' && parseFloat(row.cells[1].textContent) > 0)",
    );
    browser.becomes("parseFloat(document.getElementById('gets').textContent) > 0");
    browser.becomes("document.getElementById('hit-rate').textContent.endsWith('%')");
    browser.becomes("parseFloat(document.getElementById('requests').textContent) > 0");
    browser.becomes("window.fetched === 40 * 1024 * 1024");
    // What the page shows lies between what the metrics were before and what they are after.
    let class = |metrics: &Value| {
        let classes = metrics["pool"]["pools"].as_array().unwrap();
        classes.iter().find(|class| class["size"] == 16_384).unwrap().clone()
    };
    let before = class(&server.metrics());
    let gets = whole(&before, "/gets");
    assert!(gets >= 2560, "40 MiB in pieces of 16 KiB");
    browser.becomes(&format!(
        "[...document.querySelectorAll('#classes tr')].some((row) =>
            row.cells[0].textContent === '16 KiB'
            && Number(row.cells[4].textContent.replace(',', '')) >= {gets})",
    ));
    let row = row(&mut browser);
    let after = class(&server.metrics());
    for (column, name) in
        [(4, "gets"), (5, "gets_cell"), (6, "gets_depot"), (7, "misses"), (8, "refused")]
    {
        let shown: u64 = row[column].replace(',', "").parse().unwrap();
        let path = format!("/{name}");
        let range = whole(&before, &path)..=whole(&after, &path);
        assert!(range.contains(&shown), "{name}: {shown} is not in {range:?}");
    }
    // What is held may change between the page's last event and the metrics, since idle memory goes
    // back; so they have twenty seconds in which to say the same.
    let agree = (0..100).any(|_| {
        let shown = self::row(&mut browser)[11].clone();
        let created = whole(&class(&server.metrics()), "/created");
        std::thread::sleep(std::time::Duration::from_millis(200));
        shown == shockwave::loadtest::human::bytes(created * 16_384)
    });
    assert!(agree, "what is held, as the page has it, is never what the metrics have");
    assert!(browser.text("#in-use-note").contains("of 64 MiB"));
    let label = browser.value("document.querySelector('#memory-bar').getAttribute('aria-label')");
    assert!(label.as_str().unwrap().contains("Left of the budget"), "{label}");
    assert_eq!(browser.value("document.querySelectorAll('#charts canvas').length"), 6);
    // A line is drawn in the color of its series, of which there is none on an empty chart.
    browser.becomes(
        "[...document.querySelectorAll('#charts canvas')].every((canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
            let colored = 0;
            for (let i = 0; i < data.length; i += 4) {
                const [r, g, b, a] = data.slice(i, i + 4);
                if (a > 128 && Math.max(r, g, b) - Math.min(r, g, b) > 60) colored += 1;
            }
            return colored > 20;
        })",
    );
}

#[test]
#[ignore = "needs Chromium: cargo xtask browser"]
fn it_opens_with_what_has_just_happened() {
    let server = Server::start(&[]);
    server.get("/bytes/1m");
    while server.metrics()["uptime_seconds"].as_f64() < Some(4.0) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let mut browser = dashboard(&server);
    // At its first figures, when a page that knew no others could not tell a rate yet.
    let gets = browser.text("#gets");
    assert!(gets.starts_with(|first: char| first.is_ascii_digit()), "{gets}");
    browser.becomes(
        "document.querySelector('.plot[aria-label]').getAttribute('aria-label').includes('between')",
    );
}

#[test]
#[ignore = "needs Chromium: cargo xtask browser"]
fn nothing_comes_from_elsewhere_and_nothing_inline_runs() {
    let server = Server::start(&[]);
    let mut browser = dashboard(&server);
    browser.becomes("document.querySelectorAll('#charts canvas').length === 6");
    let own = format!("http://{}/", server.address);
    let urls: Vec<_> = browser.events("Network.requestWillBeSent").collect();
    assert!(urls.len() > 8, "{urls:?}");
    for request in urls {
        let url = request["request"]["url"].as_str().unwrap();
        assert!(url.starts_with(&own), "{url}");
    }
    let trouble = ["Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"];
    for kind in trouble {
        let said: Vec<_> = browser.events(kind).collect();
        assert!(said.is_empty(), "{kind}: {said:?}");
    }
    // What someone managed to bring into the page would not run, nor reach anyone.
    browser.value(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">');
         const script = document.createElement('script');
         script.textContent = 'window.ran = 1';
         document.body.append(script); true",
    );
    let reached = browser.value("fetch('http://127.0.0.1:9/').then(() => true, () => false)");
    assert_eq!((reached, browser.value("window.ran ?? null")), (Value::Bool(false), Value::Null));
    let blocked = browser.events("Log.entryAdded");
    let blocked = blocked.filter(|it| it.to_string().contains("Content Security Policy")).count();
    assert!(blocked >= 2, "the policy has a say in it");
}

#[test]
#[ignore = "needs Chromium: cargo xtask browser"]
fn it_says_that_the_server_is_gone_and_finds_it_again() {
    let server = Server::start(&[]);
    let address = server.address.clone();
    let mut browser = dashboard(&server);
    server.get("/bytes/1m");
    browser.becomes("document.getElementById('about').textContent.includes('up')");
    drop(server);
    browser.becomes("document.getElementById('status').textContent === 'Reconnecting'");
    let server = Server::start_at(&address, &[]);
    browser.becomes(LIVE);
    server.get("/bytes/160k");
    browser.becomes(
        "[...document.querySelectorAll('#classes tr')].some((row) =>
            row.cells[0].textContent === '16 KiB' && row.cells[4].textContent !== '0')",
    );
    let text = browser.text("main");
    assert!(!text.contains("NaN") && !text.contains('-'), "no rate is below 0: {text}");
}

#[test]
#[ignore = "needs Chromium: cargo xtask browser"]
fn it_is_usable_by_keyboard_and_by_ear() {
    let server = Server::start(&[]);
    let mut browser = dashboard(&server);
    let focused = "document.activeElement.textContent";
    browser.press("Tab");
    assert_eq!(browser.value(focused), "Skip to the figures");
    browser.press("Tab");
    assert_eq!(browser.value(focused), "Pause");
    let ring = browser.value("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(ring, "solid", "where the focus is can be seen");
    browser.press("Enter");
    browser.becomes("document.getElementById('status').textContent === 'Paused'");
    let about = browser.text("#about");
    browser.value("new Promise((done) => setTimeout(done, 2500))");
    assert_eq!(browser.text("#about"), about, "nothing moves");
    browser.press("Enter");
    browser.becomes(LIVE);
    browser.becomes(&format!("document.getElementById('about').textContent !== {about:?}"));
    browser.becomes("document.querySelectorAll('.plot[aria-label]').length === 6");
    for (what, is_so) in [
        (
            "landmarks",
            "['header', 'main', 'footer', 'nav'].every((it) => document.querySelector(it))",
        ),
        ("one first heading", "document.querySelectorAll('h1').length === 1"),
        ("a language", "document.documentElement.lang === 'en'"),
        ("a role for each plot", "document.querySelectorAll('.plot[role=img]').length === 6"),
        ("heads", "[...document.querySelectorAll('th')].every((it) => it.scope)"),
        (
            "headings in order",
            "[...document.querySelectorAll('h1, h2, h3')].every((it, i, all) =>
                !i || it.tagName[1] - all[i - 1].tagName[1] <= 1)",
        ),
        (
            "only the state speaks up",
            "[...document.querySelectorAll('[aria-live], [role=status], [role=alert]')]
                .map((it) => it.id).join() === 'status'",
        ),
        (
            "what scrolls can be scrolled by keyboard",
            "document.querySelector('.scroll').tabIndex === 0",
        ),
    ] {
        assert_eq!(browser.value(is_so), true, "{what}");
    }
}

#[test]
#[ignore = "needs Chromium: cargo xtask browser"]
fn it_fits_a_telephone_and_either_scheme_and_can_be_read() {
    let server = Server::start(&["--budget", "64m"]);
    let mut browser = dashboard(&server);
    let mut pages = Vec::new();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        for width in [320, 375, 768] {
            browser.be_wide(width);
            let widest = browser.value("document.documentElement.scrollWidth");
            assert!(widest.as_u64() <= Some(width.into()), "{scheme}: {widest} of {width}");
        }
        pages.push(browser.value("getComputedStyle(document.body).backgroundColor"));
        // Text against what is behind it, by the formula of WCAG 2: 4.5 to 1 or more.
        let faint = browser.value(
            "(() => { const style = getComputedStyle(document.documentElement);
             const light = (name) => {
                 const hex = style.getPropertyValue(name).trim().slice(1);
                 const [r, g, b] = [0, 2, 4].map((at) => {
                     const part = parseInt(hex.slice(at, at + 2), 16) / 255;
                     return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
                 });
                 return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
             };
             return ['--page', '--card'].flatMap((back) =>
                 ['--ink', '--soft', '--good', '--fair', '--poor'].filter((name) => {
                     const [a, b] = [light(name), light(back)];
                     return !(Math.max(a, b) / Math.min(a, b) >= 4.5);
                 }).map((name) => `${name} on ${back}`)); })()",
        );
        assert_eq!(faint, serde_json::json!([]), "{scheme}");
    }
    assert_ne!(pages[0], pages[1]);
}

#[test]
#[ignore = "needs Chromium: cargo xtask browser"]
fn numbers_are_written_as_people_read_them() {
    let server = Server::start(&[]);
    let mut browser = dashboard(&server);
    for (call, text) in [
        ("count(1234567)", "1,234,567"),
        ("rate(0)", "0"),
        ("rate(0.25)", "0.3"),
        ("rate(9999)", "9,999"),
        ("rate(12345)", "12.3 k"),
        ("rate(999999)", "1.00 M"),
        ("bytes(0)", "0 B"),
        ("bytes(4096)", "4 KiB"),
        ("bytes(1536)", "1.50 KiB"),
        ("bytes(1073741824)", "1 GiB"),
        ("seconds(0.0000123)", "12 µs"),
        ("seconds(0.0025)", "2.5 ms"),
        ("seconds(3.1)", "3.1 s"),
        ("percent(100)", "100 %"),
        ("percent(99.9999)", "99.99 %"),
        ("percent(0.0001)", "0.01 %"),
        ("percent(85.25)", "85.3 %"),
        ("age(0.5)", "0 s"),
        ("age(61)", "1 min 1 s"),
        ("age(3600)", "1 h"),
        ("age(200000)", "2 d 7 h"),
        ("rate(NaN)", "–"),
    ] {
        let shown = browser.value(&format!("import('/assets/format.js').then((it) => it.{call})"));
        assert_eq!(shown, text, "{call}");
    }
    let mut rates = |before: &str, now: &str| {
        let of = |it: &str| format!("{{...{it}, server: {{ requests_total: 0 }}}}");
        browser.value(&format!(
            "import('/assets/rates.js').then(({{ rates }}) => rates({}, {}))",
            of(before),
            of(now)
        ))
    };
    let pool = |seconds: u32, gets: u32, hits: u32| {
        format!(
            "{{ uptime_seconds: {seconds}, pool: {{ pools: [], total_gets: {gets},
               total_hits: {hits}, total_misses: {}, oversize_gets: {seconds}, refused: 0 }} }}",
            gets - hits
        )
    };
    let found = rates(&pool(2, 100, 50), &pool(4, 300, 230));
    assert_eq!((&found["gets"], &found["hitRate"]), (&101.into(), &90.into()));
    let none = rates(&pool(2, 100, 50), &pool(4, 100, 50));
    assert_eq!((&none["gets"], &none["hitRate"]), (&1.into(), &Value::Null));
}
