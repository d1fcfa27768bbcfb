//! What the kernel knows about a process: processor time, memory, bytes written. Linux only.

use std::{fs, io, path::Path, time::Duration};

use serde::Serialize;

/// A process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Usage {
    /// In user and kernel mode, all threads, since it started.
    #[serde(skip)]
    pub(super) cpu: Duration,
    /// Resident now.
    pub(super) rss_bytes: u64,
    /// Resident at most, since it started.
    pub(super) rss_peak_bytes: u64,
    /// Handed to the block layer since it started; `None` when we may not read it.
    #[serde(skip)]
    pub(super) written_bytes: Option<u64>,
}

impl Usage {
    /// Looks at process `pid`.
    ///
    /// # Errors
    /// When there is no such process, or no `/proc`.
    pub(super) fn of(pid: u32) -> io::Result<Self> {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
        let status = read("status")?;
        let unreadable = |what: &str| io::Error::other(format!("/proc/{pid} says nothing about {what}"));
        let cpu = cpu_ticks(&read("stat")?).ok_or_else(|| unreadable("processor time"))?;
        Ok(Self {
            cpu: Duration::from_secs(cpu) / u32::try_from(ticks_per_s()).unwrap_or(100),
            rss_bytes: kilobytes(&status, "VmRSS:").ok_or_else(|| unreadable("memory"))?,
            rss_peak_bytes: kilobytes(&status, "VmHWM:").ok_or_else(|| unreadable("memory"))?,
            written_bytes: read("io").ok().and_then(|io| number(&io, "write_bytes:")),
        })
    }
}

fn ticks_per_s() -> u64 {
    rustix::param::clock_ticks_per_second()
}

/// User and system time in ticks: the 12th and 13th field after the name, which may itself contain anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    number(status, name).map(|kilobytes| kilobytes * 1024)
}

/// The process that has the data directory `data` open: that with an open `hermes.lock` in it.
pub(super) fn holder_of(data: &Path) -> Option<u32> {
    let lock = fs::canonicalize(data.join("hermes.lock")).ok()?;
    let holds = |pid: &u32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|open| open == lock))
    };
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(holds)
}

/// Processor time of the calling thread since it started; `None` where the kernel does not tell.
pub(super) fn thread_cpu() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_a_name_with_anything_in_it() {
        let stat = "7 (a b) (c)) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 8 9 20 0 12 0 100 1 2";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("7 (short) S 1"), None);
        let status = "Name:\thermes\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(104_857_600));
        assert_eq!(
            number("rchar: 1\nwrite_bytes: 4096\ncancelled_write_bytes: 1\n", "write_bytes:"),
            Some(4_096)
        );
        assert_eq!(number("", "write_bytes:"), None);
    }

    #[test]
    fn this_process_is_seen_and_found_by_what_it_has_open() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.rss_bytes > 0 && usage.rss_peak_bytes >= usage.rss_bytes);
        let data = tempfile::tempdir().unwrap();
        assert_eq!(holder_of(data.path()), None);
        let _open = fs::File::create(data.path().join("hermes.lock")).unwrap();
        assert_eq!(holder_of(data.path()), Some(std::process::id()));
    }
}
