//! `shockwave top` and `shockwave plan`: what they make of a server, and of what is none.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

use crate::server::Server;
use crate::support::{Ran, command, json, run, short, whole};

#[test]
fn without_a_terminal_top_is_a_table_with_rates() {
    let server = Server::start(&["--budget", "8m"]);
    server.get("/bytes/64k");
    let url = format!("http://{}/", server.address);
    for arguments in [&["top", &url, "--interval", "50ms"][..], &["top", &server.address, "--once"]]
    {
        let Ran { code, stdout, stderr } = run(arguments);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout.starts_with(&format!("{} · {}", server.address, env!("CARGO_PKG_VERSION"))));
        for words in ["Hit rate", " of 8 MiB\n", "Requests", "16 KiB", "All"] {
            assert!(stdout.contains(words), "{words} in {stdout}");
        }
        assert!(!stdout.contains('\x1b'), "no colors where there is no terminal");
    }
}

#[test]
fn what_is_no_server_is_said_to_be_none() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    let other = thread::spawn(move || {
        for answer in ["{}", "<p>", ""] {
            let (mut stream, _) = nobody.accept().unwrap();
            // Read first: what is unread when a socket closes resets the connection.
            let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
            while head.next().unwrap().unwrap() != "" {}
            let length = answer.len();
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}").unwrap();
        }
    });
    for words in ["no pool's metrics", "other than JSON", "other than JSON"] {
        let Ran { code, stderr, .. } = run(&["top", &address]);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(words) && stderr.contains(&address), "{stderr}");
    }
    other.join().unwrap();
    for command in ["top", "plan"] {
        let Ran { code, stderr, .. } = run(&[command, &address]);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains("refused") && stderr.contains(&address), "{stderr}");
    }
    let server = Server::start(&[]);
    let Ran { code, stderr, .. } = run(&["top", &format!("{}/nothing", server.address)]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("404"), "{stderr}");
}

#[test]
fn a_plan_follows_from_a_server_a_file_or_a_load_test() {
    let server = Server::start(&["--warmup", "3"]);
    server.get("/bytes/16k");
    let plan = json(&run(&["plan", &server.address, "--json"]));
    let classes = plan["classes"].as_array().unwrap();
    assert!(classes.contains(&16_384.into()) && !classes.contains(&32_768.into()), "{plan}");
    assert!(whole(&plan, "/warmup") >= 3);
    assert!(whole(&plan, "/budget_bytes") >= 1 << 20);

    let tested = short(&["--json", "--sizes", "3000"]).stdout;
    let mut planner = command(&["plan", "-"]);
    planner.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut planner = planner.spawn().unwrap();
    planner.stdin.take().unwrap().write_all(tested.as_bytes()).unwrap();
    let Ran { code, stdout, .. } = planner.wait_with_output().unwrap().into();
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("--classes 4k --warmup "), "{stdout}");

    let path = std::env::temp_dir().join(format!("shockwave-plan-{}", std::process::id()));
    std::fs::write(&path, server.get("/metrics.json")).unwrap();
    let from_file = run(&["plan", path.to_str().unwrap()]);
    let said = &from_file.stdout;
    assert!(said.starts_with("--classes ") && said.contains("16k --warmup "), "{said}");
    std::fs::remove_file(&path).unwrap();
}
