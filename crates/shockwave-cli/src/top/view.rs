//! The screen: drawn anew from what is known, whatever its size.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Sparkline, Table};

use super::figures::{HEAD, hit_rate, rows, summary, title};
use super::history::History;
use crate::parse::MetricsUrl;

/// What the screen shows.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) url: &'a MetricsUrl,
    pub(crate) history: &'a History,
    /// Why there is nothing new, if there is not.
    pub(crate) trouble: Option<&'a str>,
    pub(crate) is_paused: bool,
    pub(crate) has_colors: bool,
}

/// Columns of each figure of the summary.
const FIGURE_COLUMNS: u16 = 26;

/// Rows of each line over time, its title included.
const LINE_ROWS: u16 = 4;

/// Columns between two of the table's.
const SPACING: u16 = 2;

/// Columns of the table that are left out where there is no room, the first first.
const DROPPED: [&str; 7] = ["Refused", "By core", "Made/s", "Gets", "Idle", "Held", "In use"];

impl View<'_> {
    pub(crate) fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let columns = (area.width / FIGURE_COLUMNS).max(1);
        let figures = summary(self.history);
        let figure_rows = u16::try_from(figures.len()).unwrap_or(0).div_ceil(columns);
        let classes = rows(self.history);
        let class_rows = u16::try_from(classes.len()).unwrap_or(0) + 1;
        let [head, _, summary, _, memory, _, lines, table, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(figure_rows),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(LINE_ROWS),
            Constraint::Min(class_rows.min(3)),
            Constraint::Length(1),
        ])
        .areas(area);
        self.head(frame, head);
        self.summary(frame, summary, &figures, columns);
        self.memory(frame, memory);
        self.lines(frame, lines);
        draw_classes(frame, table, &classes);
        let keys = Line::from("q ends · p pauses").style(soft());
        frame.render_widget(keys, foot);
    }

    fn head(&self, frame: &mut Frame<'_>, area: Rect) {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let name = Line::from(vec![
            Span::styled("shockwave ", bold),
            Span::raw(title(self.url, self.history)),
        ]);
        let state = match self.trouble {
            Some(trouble) => Span::styled(
                format!("reconnecting: {trouble}"),
                self.colored(Color::Red).patch(bold),
            ),
            None if self.is_paused => Span::styled("paused", self.colored(Color::Yellow)),
            None if self.history.latest().is_none() => Span::styled("connecting", soft()),
            None => Span::styled("live", self.colored(Color::Green)),
        };
        // Trouble comes first where there is no room for both.
        let state_columns = u16::try_from(state.width()).unwrap_or(u16::MAX).min(area.width);
        let [left, right] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(state_columns)])
                .spacing(1)
                .areas(area);
        frame.render_widget(name, left);
        frame.render_widget(Line::from(state).alignment(Alignment::Right), right);
    }

    fn summary(&self, frame: &mut Frame<'_>, area: Rect, figures: &[(&str, String)], columns: u16) {
        let lines = figures.chunks(usize::from(columns)).map(|chunk| {
            let spans = chunk.iter().flat_map(|(name, value)| {
                let bold = Style::new().add_modifier(Modifier::BOLD);
                let style = if *name == "Hit rate" { bold.patch(self.health()) } else { bold };
                let room = usize::from(FIGURE_COLUMNS).saturating_sub(name.chars().count() + 1);
                [
                    Span::styled(format!("{name} "), soft()),
                    Span::styled(format!("{value:room$}"), style),
                ]
            });
            Line::from(spans.collect::<Vec<_>>())
        });
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
    }

    /// What is in use and what is idle, of the budget or of both.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "columns of a terminal"
    )]
    fn memory(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(reading) = self.history.latest() else { return };
        let pool = &reading.pool;
        let whole = pool.budget_bytes.max(pool.in_use_bytes + pool.idle_bytes).max(1);
        let label = "Memory ";
        let room = usize::from(area.width).saturating_sub(label.len());
        let columns = |bytes: u64| (bytes as f64 / whole as f64 * room as f64).round() as usize;
        let in_use = columns(pool.in_use_bytes).min(room);
        let idle = columns(pool.idle_bytes).min(room - in_use);
        let bar = Line::from(vec![
            Span::styled(label, soft()),
            Span::styled("█".repeat(in_use), self.colored(Color::Blue)),
            Span::styled("▒".repeat(idle), self.colored(Color::Cyan)),
            Span::styled("·".repeat(room - in_use - idle), soft()),
        ]);
        frame.render_widget(bar, area);
    }

    fn lines(&self, frame: &mut Frame<'_>, area: Rect) {
        let halves = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(2);
        let [left, right] = halves.areas(area);
        for (name, values, color, area) in [
            ("Gets/s", self.history.gets(), Color::Blue, left),
            ("Requests/s", self.history.requests(), Color::Magenta, right),
        ] {
            let [title, plot] =
                Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
            let room = usize::from(plot.width);
            let shown: Vec<u64> =
                values.iter().copied().skip(values.len().saturating_sub(room)).collect();
            let most = shown.iter().copied().max().unwrap_or(0);
            let most = shockwave::loadtest::human::grouped(most);
            let words = vec![Span::raw(name), Span::styled(format!(", at most {most}"), soft())];
            frame.render_widget(Line::from(words), title);
            frame.render_widget(Sparkline::default().data(shown).style(self.colored(color)), plot);
        }
    }

    fn health(&self) -> Style {
        match hit_rate(self.history) {
            Some(rate) if rate >= 95.0 => self.colored(Color::Green),
            Some(rate) if rate >= 80.0 => self.colored(Color::Yellow),
            Some(_) => self.colored(Color::Red),
            None => Style::new(),
        }
    }

    fn colored(&self, color: Color) -> Style {
        if self.has_colors { Style::new().fg(color) } else { Style::new() }
    }
}

/// The table: a row for each class, and one for all, which is the last.
fn draw_classes(frame: &mut Frame<'_>, area: Rect, rows: &[[String; HEAD.len()]]) {
    let shown = fitting(rows, usize::from(area.width));
    let row = |texts: &[&str]| {
        let cells = shown.iter().map(|&(i, _)| {
            let side = if i == 0 { Alignment::Left } else { Alignment::Right };
            Cell::from(Line::from(texts[i].to_owned()).alignment(side))
        });
        Row::new(cells.collect::<Vec<_>>())
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let body = (1..).zip(rows).map(|(number, texts)| {
        let row = row(&texts.each_ref().map(String::as_str));
        if number == rows.len() { row.style(bold) } else { row }
    });
    let widths = shown.iter().map(|&(_, width)| Constraint::Length(width));
    let table = Table::new(body, widths).header(row(&HEAD).style(soft()));
    frame.render_widget(table.column_spacing(SPACING), area);
}

/// For what is there to be read, and not to be looked at.
fn soft() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

/// The columns of the table that fit into so many of the terminal, each with its width.
fn fitting(rows: &[[String; HEAD.len()]], room: usize) -> Vec<(usize, u16)> {
    let width = |i: usize| {
        let texts = rows.iter().map(|row| row[i].chars().count());
        let most = texts.chain([HEAD[i].chars().count()]).max();
        u16::try_from(most.unwrap_or(0)).unwrap_or(u16::MAX)
    };
    let mut shown: Vec<_> = (0..HEAD.len()).map(|i| (i, width(i))).collect();
    for dropped in DROPPED {
        let all: usize = shown.iter().map(|&(_, width)| usize::from(width + SPACING)).sum();
        if all <= room + usize::from(SPACING) {
            break;
        }
        shown.retain(|&(i, _)| HEAD[i] != dropped);
    }
    shown
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Buffer;

    use super::super::history::tests::reading;
    use super::*;
    use crate::parse::parse_metrics_url;

    fn drawn(columns: u16, rows: u16, trouble: Option<&str>, has_colors: bool) -> Buffer {
        let mut history = History::default();
        (10..20).for_each(|second| history.push(reading(second, 1000)));
        let url = parse_metrics_url("host:1").unwrap();
        let view = View { url: &url, history: &history, trouble, is_paused: false, has_colors };
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    fn lines(buffer: &Buffer) -> Vec<String> {
        let width = usize::from(buffer.area.width);
        let rows = buffer.content.chunks(width);
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
    }

    #[test]
    fn the_screen_has_every_figure() {
        let lines = lines(&drawn(100, 24, None, true));
        assert!(lines[0].starts_with("shockwave host:1 · 1.2.3 · up 19 s"), "{}", lines[0]);
        assert!(lines[0].ends_with("live"));
        let all = lines.join("\n");
        for words in [
            "Gets 1,000/s",
            "Hit rate 90.00 %",
            "In use 192 KiB of 1 MiB",
            "Waiters 4",
            "99 % within 1.20 ms",
            "Connections 12 (3 active)",
            "Gets/s, at most 1,000",
            "Requests/s, at most 5",
            "q ends",
        ] {
            assert!(all.contains(words), "{words} in\n{all}");
        }
        let memory = lines.iter().find(|line| line.starts_with("Memory")).unwrap();
        // 93 columns are the budget of 1 MiB; 192 KiB are in use, and 448 KiB idle.
        let count = |symbol| memory.matches(symbol).count();
        assert_eq!((count('█'), count('▒'), count('·')), (17, 41, 35));
        let row = lines.iter().find(|line| line.starts_with("64 KiB")).unwrap();
        let texts: Vec<_> = row.split_whitespace().collect();
        assert_eq!(texts[..6], ["64", "KiB", "1,000", "100", "90.00", "%"]);
    }

    #[test]
    fn trouble_is_said_and_what_was_known_stays() {
        let lines = lines(&drawn(100, 24, Some("connection refused"), true));
        assert!(lines[0].ends_with("reconnecting: connection refused"), "{}", lines[0]);
        assert!(lines.join("\n").contains("1,000/s"));
    }

    #[test]
    fn no_size_is_too_small_to_draw() {
        for columns in [1, 2, 10, 40, 79, 300] {
            for rows in [1, 2, 5, 10, 23, 80] {
                drawn(columns, rows, Some("gone"), true);
            }
        }
        let narrow = lines(&drawn(60, 30, None, true)).join("\n");
        for words in ["Connections 12", "64 KiB", "90.00 %", "640 KiB"] {
            assert!(narrow.contains(words), "{words} in {narrow}");
        }
        assert!(!narrow.contains("Refused  "), "left out: {narrow}");
    }

    #[test]
    fn without_colors_there_are_none() {
        let has_color = |buffer: &Buffer| {
            buffer.content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
        };
        assert!(has_color(&drawn(100, 24, Some("gone"), true)));
        assert!(!has_color(&drawn(100, 24, Some("gone"), false)));
    }
}
