//! The server's completion log: a line `<message id> <unix ms> <status>` per message that ended.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use hermes_domain::MessageId;

use crate::bench::generator::Run;

/// How often the log is looked at. The server flushes it every 10 ms.
const EVERY: Duration = Duration::from_millis(5);
/// Longest line that is still a line of this log, in bytes.
const LINE_BYTES_MAX: usize = 256;

/// A log that is read as it grows.
#[derive(Debug)]
pub(in crate::bench) struct LogTail {
    path: PathBuf,
    file: Option<File>,
    /// The start of a line whose end has not been written.
    partial: Vec<u8>,
    chunk: Vec<u8>,
    /// Lines that are not of this log's form.
    unreadable: u64,
}

/// One ended message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Line<'a> {
    pub(in crate::bench) id: MessageId,
    /// Milliseconds since 1970, by the server's clock.
    pub(in crate::bench) at_ms: u64,
    pub(in crate::bench) status: &'a str,
}

/// Translates the server's wall clock into this process's instants.
#[derive(Debug, Clone, Copy)]
struct WallClock {
    instant: Instant,
    unix: Duration,
}

impl LogTail {
    /// Reads what is written from now on; the file need not exist yet.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub(in crate::bench) fn from_end(path: &Path) -> io::Result<Self> {
        let file = match File::open(path) {
            Ok(mut file) => {
                file.seek(SeekFrom::End(0))?;
                Some(file)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let chunk = vec![0; 1 << 16];
        Ok(Self { path: path.to_owned(), file, partial: Vec::new(), chunk, unreadable: 0 })
    }

    /// Calls `each` with every line completed since the last call, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::bench) fn read(&mut self, mut each: impl FnMut(Line<'_>)) -> io::Result<()> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        loop {
            let read = file.read(&mut self.chunk)?;
            if read == 0 {
                return Ok(());
            }
            self.partial.extend_from_slice(&self.chunk[..read]);
            let complete = self.partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            for line in self.partial[..complete].split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
            {
                match parse(line) {
                    Some(line) => each(line),
                    None => self.unreadable += 1,
                }
            }
            self.partial.drain(..complete);
            if self.partial.len() > LINE_BYTES_MAX {
                return Err(io::Error::other("this is not a completion log"));
            }
        }
    }

    /// How many lines could not be understood.
    #[cfg(test)]
    fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = std::str::from_utf8(line).ok()?.split(' ');
    let line = Line {
        id: fields.next()?.parse().ok()?,
        at_ms: fields.next()?.parse().ok()?,
        status: fields.next()?,
    };
    fields.next().is_none().then_some(line)
}

impl WallClock {
    fn now() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { instant: Instant::now(), unix }
    }

    fn instant(&self, unix_ms: u64) -> Instant {
        let at = Duration::from_millis(unix_ms);
        match at.checked_sub(self.unix) {
            Some(after) => self.instant + after,
            None => self.instant.checked_sub(self.unix.saturating_sub(at)).unwrap_or(self.instant),
        }
    }
}

/// Tells `run` of every end in the log; returns only when the log cannot be read any more.
pub(in crate::bench) async fn follow(run: Rc<Run>, mut tail: LogTail) -> io::Error {
    let clock = WallClock::now();
    loop {
        let read = tail.read(|line| {
            // Written before it is read, whatever two clocks say.
            let at = clock.instant(line.at_ms).min(Instant::now());
            run.ended(line.id, at, line.status);
        });
        if let Err(error) = read {
            return error;
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::UnixMillis;
    use std::io::Write as _;

    fn id(sequence: u16) -> MessageId {
        MessageId::mint(UnixMillis(1_767_323_045_000), 0, sequence, 0)
    }

    fn read(tail: &mut LogTail) -> Vec<(MessageId, u64, String)> {
        let mut lines = Vec::new();
        tail.read(|line| lines.push((line.id, line.at_ms, line.status.to_owned()))).unwrap();
        lines
    }

    #[test]
    fn only_what_comes_later_is_read_and_a_cut_line_waits_for_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("completions");
        let mut file = File::create(&path).unwrap();
        writeln!(file, "{} 1 delivered", id(1)).unwrap();
        let mut tail = LogTail::from_end(&path).unwrap();
        assert_eq!(read(&mut tail), []);
        write!(file, "{} 2 delivered\n{} 3 fai", id(2), id(3)).unwrap();
        assert_eq!(read(&mut tail), [(id(2), 2, "delivered".to_owned())]);
        writeln!(file, "led\nnonsense").unwrap();
        assert_eq!(read(&mut tail), [(id(3), 3, "failed".to_owned())]);
        assert_eq!(tail.unreadable(), 1);
    }

    #[test]
    fn a_log_that_does_not_exist_yet_is_read_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("completions");
        let mut tail = LogTail::from_end(&path).unwrap();
        assert_eq!(read(&mut tail), []);
        std::fs::write(&path, format!("{} 9 expired\n", id(1))).unwrap();
        assert_eq!(read(&mut tail), [(id(1), 9, "expired".to_owned())]);
    }

    #[test]
    fn a_file_without_lines_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("something");
        let mut tail = LogTail::from_end(&path).unwrap();
        std::fs::write(&path, vec![b'x'; 10_000]).unwrap();
        assert!(tail.read(|_| ()).is_err());
    }

    #[test]
    fn the_wall_clock_maps_both_ways_from_its_reading() {
        let clock = WallClock { instant: Instant::now(), unix: Duration::from_millis(1_000) };
        assert_eq!(clock.instant(1_250), clock.instant + Duration::from_millis(250));
        assert_eq!(clock.instant(900), clock.instant - Duration::from_millis(100));
    }
}
