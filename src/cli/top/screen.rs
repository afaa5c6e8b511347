//! The terminal: taken, and given back whatever happens.

use anyhow::{Context, Result};
use crossterm::cursor::Show;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::io::{BufWriter, Stdout, stdout};
use std::sync::Once;

/// The terminal, as long as it is ours.
pub(super) struct Screen {
    pub(super) terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Screen {
    /// Takes the terminal: what was on it is there again afterwards, also after a panic.
    pub(super) fn take() -> Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let told = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                told(panic);
            }));
        });
        enable_raw_mode().context("the terminal cannot be used")?;
        let taken = Self::open();
        if taken.is_err() {
            give_back();
        }
        taken.context("the terminal cannot be used")
    }

    fn open() -> std::io::Result<Self> {
        crossterm::execute!(stdout(), EnterAlternateScreen)?;
        // A picture is one write.
        let mut terminal = Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(1 << 16, stdout())))?;
        terminal.hide_cursor()?;
        Ok(Self { terminal })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Does as much of it as can be done; there is nobody to tell what cannot.
fn give_back() {
    drop(disable_raw_mode());
    drop(crossterm::execute!(stdout(), LeaveAlternateScreen, Show));
}
