//! A file that grows, is moved away and is made anew.

use super::Error;
use super::file_position::{FileId, FilePosition, HEAD, wrong};
use super::lines::{Found, Lines};
use std::collections::VecDeque;
use std::fs::{self, DirEntry, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How much is read at a time.
const PIECE: usize = 64 * 1024;
/// How much goes in one go, at least; the rest goes in the next.
const BATCH: u64 = 256 * 1024;

/// A file that is followed. Its methods block.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) path: PathBuf,
    /// Where the position is kept.
    pub(super) kept: Option<PathBuf>,
    pub(super) from_end: bool,
    pub(super) lines: Lines,
    /// Where to go on; none once that is done.
    position: Option<FilePosition>,
    is_begun: bool,
    open: Option<Open>,
}

/// The file that is read now.
#[derive(Debug)]
struct Open {
    file: File,
    id: FileId,
    /// How much was read.
    read: u64,
    /// Where the line begins that has no end yet.
    line: u64,
    /// How it began when it was read.
    head: Vec<u8>,
    /// Something is written to its successor, so that it is read to its end once more and left.
    is_leaving: bool,
}

/// What there was at one time.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Of which file, if there was one.
    pub(super) file: Option<FileId>,
    pub(super) head: Vec<u8>,
    /// Each with how much of the file is done with once it is taken.
    pub(super) seen: VecDeque<(Seen, u64)>,
    /// There may be more at once.
    pub(super) is_more: bool,
}

#[derive(Debug)]
pub(super) enum Seen {
    Line(Vec<u8>),
    /// Nothing for the reader, but this far is done.
    Mark,
    Error(Error),
}

impl Followed {
    pub(super) fn new(path: PathBuf, longest: usize) -> Self {
        Self {
            path,
            kept: None,
            from_end: false,
            lines: Lines::new(longest),
            position: None,
            is_begun: false,
            open: None,
        }
    }

    /// Keeps a position.
    pub(super) fn keep(&self, position: &FilePosition) -> Result<(), Error> {
        self.kept.as_ref().map_or(Ok(()), |kept| position.store(kept))
    }

    /// What there is now that was not there before.
    pub(super) fn look(&mut self) -> Look {
        let mut look = Look::default();
        let failed = self.fill(&mut look).err();
        if let Some(open) = &self.open {
            (look.file, look.head) = (Some(open.id), open.head.clone());
        }
        if let Some(error) = failed {
            look.is_more = false;
            let done = self.open.as_ref().map_or(0, |open| open.line);
            look.seen.push_back((Seen::Error(error), done));
        }
        look
    }

    fn fill(&mut self, look: &mut Look) -> Result<(), Error> {
        if self.open.is_none() {
            self.begin(look)?;
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let reading = |error: std::io::Error| wrong("reading", &self.path, &error);
        let size = open.file.metadata().map_err(reading)?.len();
        if size < open.read || !open.is_same().map_err(reading)? {
            let error = cut(&self.path, open.read);
            (open.read, open.line, open.head) = (0, 0, Vec::new());
            self.lines.clear();
            look.seen.push_back((Seen::Error(error), 0));
        }
        open.file.seek(SeekFrom::Start(open.read)).map_err(reading)?;
        let (before, upto) = (open.read, open.read.saturating_add(BATCH));
        let mut piece = vec![0; if size > before { PIECE } else { 0 }];
        while open.read < upto {
            let read = open.file.read(&mut piece).map_err(reading)?;
            if read == 0 {
                break;
            }
            open.take(piece.get(..read).unwrap_or_default(), &mut self.lines, &self.path, look);
        }
        look.is_more = open.read >= upto;
        if open.read == before && look.seen.is_empty() { self.succeed(look) } else { Ok(()) }
    }

    /// Opens the first file: the one at the path, or the one in which it stopped when it ran before.
    fn begin(&mut self, look: &mut Look) -> Result<(), Error> {
        if !std::mem::replace(&mut self.is_begun, true)
            && let Some(kept) = &self.kept
        {
            // What can't be read says nothing, so that all is read again.
            match FilePosition::load(kept) {
                Ok(position) => self.position = position,
                Err(error) => {
                    self.from_end = false;
                    look.seen.push_back((Seen::Error(error), 0));
                }
            }
        }
        let there = open(&self.path)?;
        let Some(position) = &self.position else {
            match there {
                Some(open) if self.from_end => self.open = Some(self.at_end(open)?),
                there => self.open = there,
            }
            // What is made from now on is new.
            self.from_end = false;
            self.mark(look);
            // Before anything of it is taken, so that whoever is killed knows which file it was.
            let Some(open) = &self.open else { return Ok(()) };
            return self.keep(&FilePosition::new(open.id, open.line, &open.head));
        };
        let is_there = there.as_ref().is_some_and(|open| open.id == position.file);
        let found = if is_there { there } else { self.find(position.file)? };
        let Some(mut found) = found else {
            // It may come back under its name as long as nothing else has it.
            if let Some(there) = open(&self.path)? {
                look.seen.push_back((Seen::Error(cut(&self.path, position.offset)), 0));
                (self.open, self.position) = (Some(there), None);
            }
            return Ok(());
        };
        found.read_head(position.head_bytes).map_err(|error| wrong("reading", &self.path, &error))?;
        if position.has_head(&found.head) {
            (found.read, found.line) = (position.offset, position.offset);
        } else {
            found.head.clear();
            look.seen.push_back((Seen::Error(cut(&self.path, position.offset)), 0));
        }
        (self.open, self.position) = (Some(found), None);
        Ok(())
    }

    /// A file of which only what is written from now on is of interest.
    fn at_end(&mut self, mut open: Open) -> Result<Open, Error> {
        let reading = |error: std::io::Error| wrong("reading", &self.path, &error);
        let end = open.file.seek(SeekFrom::End(0)).map_err(reading)?;
        let mut last = [b'\n'];
        if end > 0 {
            open.file.seek(SeekFrom::Start(end - 1)).map_err(reading)?;
            open.file.read_exact(&mut last).map_err(reading)?;
        }
        if last != [b'\n'] {
            self.lines.skip();
        }
        open.read_head(HEAD.min(usize::try_from(end).unwrap_or(HEAD))).map_err(reading)?;
        (open.read, open.line) = (end, end);
        Ok(open)
    }

    /// Goes on with the next file, if there is one and this is at its end.
    fn succeed(&mut self, look: &mut Look) -> Result<(), Error> {
        let Some(open) = &mut self.open else { return Ok(()) };
        match fs::metadata(&self.path) {
            // As long as nobody writes to it, somebody may write to the old one.
            Ok(file) if FileId::of(&file) == open.id || file.len() == 0 => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(wrong("looking at", &self.path, &error)),
        }
        look.is_more = true;
        if !std::mem::replace(&mut open.is_leaving, true) {
            return Ok(());
        }
        let next = self.next_file()?;
        if let Some(next) = next {
            if let (Some(line), Some(open)) = (self.lines.finish(), &mut self.open) {
                // It has no end, and will have none.
                look.seen.push_back((Seen::Line(line), open.read));
                return Ok(());
            }
            self.lines.clear();
            self.open = Some(next);
            self.mark(look);
        }
        Ok(())
    }

    /// The one that was begun after the one that is open: if it was moved more than once, that has another name by now.
    fn next_file(&self) -> Result<Option<Open>, Error> {
        let Some(now) = &self.open else { return open(&self.path) };
        // The clock of files has ticks; of two in one tick, the one that was made later is the later one.
        let order = |file: &fs::Metadata| {
            let or_never = |at: std::io::Result<SystemTime>| at.unwrap_or(SystemTime::UNIX_EPOCH);
            (or_never(file.modified()), or_never(file.created()), FileId::of(file))
        };
        let since = now.file.metadata().map(|file| order(&file));
        let since = since.map_err(|error| wrong("looking at", &self.path, &error))?;
        let name = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        let is_between = |entry: &DirEntry| {
            let other = entry.file_name();
            let rest = other.as_encoded_bytes().strip_prefix(name).unwrap_or_default();
            // Numbers and dates.
            !rest.is_empty() && rest.iter().all(|byte| byte.is_ascii_digit() || b".-_T:Z".contains(byte))
        };
        let between = self.beside(|entry, file| is_between(entry) && order(file) > since)?;
        let first = between.into_iter().min_by_key(|(_, file)| order(file));
        open(first.as_ref().map_or(&self.path, |(path, _)| path))
    }

    /// The file of that number, under whatever name.
    fn find(&self, id: FileId) -> Result<Option<Open>, Error> {
        let found = self.beside(|_, file| FileId::of(file) == id)?;
        found.first().map_or(Ok(None), |(path, _)| open(path))
    }

    /// The files in the directory that fit.
    fn beside(
        &self,
        fits: impl Fn(&DirEntry, &fs::Metadata) -> bool,
    ) -> Result<Vec<(PathBuf, fs::Metadata)>, Error> {
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(wrong("looking into", directory, &error)),
        };
        let files = entries.flatten().filter_map(|entry| {
            let file = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            fits(&entry, &file).then(|| (entry.path(), file))
        });
        Ok(files.collect())
    }

    /// From here on it goes on with the file that is open.
    fn mark(&self, look: &mut Look) {
        if let Some(open) = &self.open {
            look.seen.push_back((Seen::Mark, open.line));
        }
    }
}

impl Open {
    /// Takes the next piece.
    fn take(&mut self, piece: &[u8], lines: &mut Lines, path: &Path, look: &mut Look) {
        let missing = HEAD.saturating_sub(self.head.len());
        if missing > 0 && self.read == self.head.len() as u64 {
            self.head.extend_from_slice(piece.get(..missing).unwrap_or(piece));
        }
        let from = self.read;
        let longest = lines.longest();
        lines.split(piece, |found, end| {
            let end = from + end as u64;
            let seen = match found {
                Found::Line(line) => Seen::Line(line.to_vec()),
                Found::Skipped => Seen::Mark,
                Found::TooLong => {
                    let error = Error::ItemTooLong { place: path.display().to_string(), longest };
                    // Whoever begins anew begins with a whole line.
                    return look.seen.push_back((Seen::Error(error), self.line));
                }
            };
            self.line = end;
            look.seen.push_back((seen, end));
        });
        self.read += piece.len() as u64;
    }

    /// Whether it begins as it did.
    fn is_same(&mut self) -> std::io::Result<bool> {
        let known = std::mem::take(&mut self.head);
        self.read_head(known.len())?;
        let is_same = self.head == known;
        self.head = known;
        Ok(is_same)
    }

    /// How it begins now, up to so many bytes.
    fn read_head(&mut self, bytes: usize) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.head.clear();
        Read::by_ref(&mut self.file).take(bytes as u64).read_to_end(&mut self.head)?;
        Ok(())
    }
}

/// Opens a file, if there is one.
fn open(path: &Path) -> Result<Option<Open>, Error> {
    let opening = |error: &dyn std::fmt::Display| wrong("opening", path, error);
    // Whoever opens a pipe waits for its other end.
    match fs::metadata(path) {
        Ok(file) if file.is_file() => {}
        Ok(_) => return Err(opening(&"it is no regular file")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(opening(&error)),
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(opening(&error)),
    };
    let id = FileId::of(&file.metadata().map_err(|error| opening(&error))?);
    Ok(Some(Open { file, id, read: 0, line: 0, head: Vec::new(), is_leaving: false }))
}

fn cut(path: &Path, read: u64) -> Error {
    Error::Cut { file: path.display().to_string(), read }
}
