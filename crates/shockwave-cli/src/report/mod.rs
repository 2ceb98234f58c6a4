//! `--report`: one page with tables and plots, which loads nothing from elsewhere.

mod chart;
mod date;
mod file;
mod html;
mod page;
mod paths;
mod plots;
mod scale;

pub(crate) use file::ReportFile;
