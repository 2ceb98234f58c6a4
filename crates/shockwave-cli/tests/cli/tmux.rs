//! A terminal of a given size, whose screen can be read and whose keys can be pressed: a tmux that
//! shares neither socket nor settings with anyone's.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take. A screen is drawn twenty times a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a screen takes to be drawn, and much less than until the next one is.
const DRAWN: Duration = Duration::from_millis(50);

/// Runs the command between two lines of its own, and says how it ended and whether the terminal's
/// settings are what they were.
const SCRIPT: &str = r#"echo "what was here before"
settings=$(stty -g)
"$@"
echo "ended with $?"
if [ "$(stty -g)" = "$settings" ]; then echo "settings as before"; else echo "settings changed"; fi
exec cat"#;

/// A terminal in which one command runs, or ran.
pub(crate) struct Terminal {
    server: Child,
    /// Where the socket lies, which goes with it.
    place: PathBuf,
}

/// A tmux at this place, which sees nothing of our environment but where programs are. What runs in
/// it sees what its server does.
fn at(place: &Path, arguments: &[&str]) -> Command {
    let mut tmux = Command::new("tmux");
    tmux.args(["-u", "-f", "/dev/null", "-S"]).arg(place.join("socket")).args(arguments);
    tmux.env_clear().env("LC_ALL", "C.UTF-8");
    tmux.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    tmux.stdin(Stdio::null());
    tmux
}

impl Terminal {
    /// Runs the command that is tested in a terminal of 100 by 30.
    pub(crate) fn run(arguments: &[&str]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Relaxed);
        let name = format!("shockwave-terminal-{}-{number}", std::process::id());
        let place = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&place).expect("a directory");
        // A child of ours, and no daemon, so that it is gone once it was waited for.
        let server = at(&place, &["-D"]).spawn().expect("tmux is installed");
        let terminal = Self { server, place };
        let start = ["-N", "new-session", "-d", "-x", "100", "-y", "30", "sh", "-c", SCRIPT, "sh"];
        let command = [&start[..], &[env!("CARGO_BIN_EXE_shockwave")], arguments].concat();
        let end = Instant::now() + PATIENCE;
        loop {
            let Output { status, stderr, .. } = terminal.output(&command);
            if status.success() {
                return terminal;
            }
            let said = String::from_utf8_lossy(&stderr);
            assert!(Instant::now() < end, "tmux does not listen: {said}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Has tmux do something, and returns how it went.
    fn output(&self, arguments: &[&str]) -> Output {
        at(&self.place, arguments).output().expect("tmux is installed")
    }

    /// The same, which must go well, and what it prints.
    fn tmux(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.output(arguments);
        let said = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "tmux {arguments:?}: {said}");
        String::from_utf8(stdout).expect("output is UTF-8")
    }

    /// What is on the screen, row by row.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The same, with the sequences that color it.
    pub(crate) fn colored_screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"])
    }

    /// Waits until the screen is as it should become, and returns it: as it is a little later,
    /// since the first one may be half drawn.
    pub(crate) fn becomes(&self, what: &str, mut is_so: impl FnMut(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                thread::sleep(DRAWN);
                let drawn = self.screen();
                if is_so(&drawn) {
                    return drawn;
                }
            }
            assert!(Instant::now() < end, "it never comes to show {what}:\n{screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until these words are on the screen, and returns it.
    pub(crate) fn shows(&self, words: &str) -> String {
        self.becomes(words, |screen| screen.contains(words))
    }

    /// Presses a key, by tmux's name of it.
    pub(crate) fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let [columns, rows] = [columns, rows].map(|it| it.to_string());
        self.tmux(&["resize-window", "-x", &columns, "-y", &rows]);
    }

    /// Whether a program has the whole screen to itself, and whether a cursor is seen.
    pub(crate) fn has_alternate_screen_and_cursor(&self) -> (bool, bool) {
        let flags = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        let (alternate, cursor) = flags.trim().split_once(' ').expect("two flags");
        (alternate == "1", cursor == "1")
    }
}

impl Drop for Terminal {
    /// Ends what runs in it, and then the terminal.
    fn drop(&mut self) {
        let _ = at(&self.place, &["kill-server"]).output();
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.place);
    }
}
