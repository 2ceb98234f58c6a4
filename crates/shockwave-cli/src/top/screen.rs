//! The terminal: looks at the server in one thread, at the keys in another, and draws.

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::fetch::fetch;
use super::history::History;
use super::view::View;
use crate::color::Color;
use crate::parse::MetricsUrl;
use crate::reading::Reading;

/// How long a key may go unseen.
const KEYS: Duration = Duration::from_millis(50);

type Look = anyhow::Result<Reading>;

/// Shows a server until it is asked to end.
pub(crate) fn run(url: &MetricsUrl, interval: Duration, color: Color) -> anyhow::Result<()> {
    let looks = watch(url.clone(), interval);
    let mut terminal = ratatui::try_init().context("cannot take over the terminal")?;
    let ended = show(&mut terminal, url, &looks, color);
    ratatui::restore();
    ended.context("cannot draw on the terminal")
}

/// Looks at the server again and again, until nobody wants to know.
fn watch(url: MetricsUrl, interval: Duration) -> Receiver<Look> {
    let (sender, looks) = mpsc::channel();
    thread::spawn(move || {
        while sender.send(fetch(&url)).is_ok() {
            thread::sleep(interval);
        }
    });
    looks
}

fn show(
    terminal: &mut DefaultTerminal,
    url: &MetricsUrl,
    looks: &Receiver<Look>,
    color: Color,
) -> std::io::Result<()> {
    let mut history = History::default();
    let mut trouble: Option<String> = None;
    let mut is_paused = false;
    loop {
        for look in looks.try_iter() {
            match look {
                _ if is_paused => {}
                Ok(reading) => {
                    trouble = None;
                    history.push(reading);
                }
                Err(error) => trouble = Some(error.root_cause().to_string()),
            }
        }
        let view = View {
            url,
            history: &history,
            trouble: trouble.as_deref(),
            is_paused,
            has_colors: color.is_enabled(),
        };
        terminal.draw(|frame| view.draw(frame))?;
        if !event::poll(KEYS)? {
            continue;
        }
        match event::read()? {
            Event::Key(key) if is_end(key) => return Ok(()),
            Event::Key(KeyEvent {
                code: KeyCode::Char('p'), kind: KeyEventKind::Press, ..
            }) => {
                is_paused = !is_paused;
            }
            _ => {}
        }
    }
}

/// `q`, Esc, or Ctrl-C, which sends no signal while the keys are read one by one.
fn is_end(key: KeyEvent) -> bool {
    let is_interrupt =
        key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    let is_quit = matches!(key.code, KeyCode::Char('q') | KeyCode::Esc);
    key.kind == KeyEventKind::Press && (is_interrupt || is_quit)
}
