//! Pages of lists: `limit`, `cursor` and their answer.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::query::Query;

/// Most entries of a page.
pub(crate) const LIMIT_MAX: usize = 250;
const LIMIT_DEFAULT: usize = 50;

/// Which page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Entries, 1–250.
    pub(crate) limit: usize,
    /// Only entries older than the one with these bits as its id.
    pub(crate) before: Option<u128>,
}

/// A page of a list, newest first.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    /// The entries.
    pub(crate) data: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub(crate) next_cursor: Option<String>,
    /// Whether there is another page.
    pub(crate) has_more: bool,
}

impl Page {
    pub(crate) fn of(query: &mut Query<'_>) -> Self {
        let limit = query.read("limit", "a whole number from 1 to 250", |text| {
            text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
        });
        let before = query.read_unless_empty("cursor", "a cursor from an earlier page", |text| {
            let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
            Some(u128::from_be_bytes(bytes))
        });
        Self { limit: limit.unwrap_or(LIMIT_DEFAULT), before }
    }

    /// A page of `entries`, which hold one more than wanted if there is another page. `key` is the id
    /// that the page continues after.
    pub(crate) fn list<T, U>(
        self,
        mut entries: Vec<T>,
        key: impl Fn(&T) -> u128,
        show: impl Fn(T) -> U,
    ) -> List<U> {
        let has_more = entries.len() > self.limit;
        entries.truncate(self.limit);
        let last = entries.last().map(&key).filter(|_| has_more);
        List {
            data: entries.into_iter().map(show).collect(),
            next_cursor: last.map(|key| URL_SAFE_NO_PAD.encode(key.to_be_bytes())),
            has_more,
        }
    }

    /// A page of `all`, which holds everything in descending order of `key`.
    pub(crate) fn of_all<T, U>(
        self,
        all: Vec<T>,
        key: impl Fn(&T) -> u128,
        show: impl Fn(T) -> U,
    ) -> List<U> {
        let older = |entry: &T| self.before.is_none_or(|before| key(entry) < before);
        let entries = all.into_iter().filter(older).take(self.limit + 1).collect();
        self.list(entries, key, show)
    }
}

impl<T> List<T> {
    /// Everything on one page.
    pub(crate) const fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None, has_more: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_continue_after_the_last_entry() {
        let all: Vec<u128> = (1..=5).rev().collect();
        let mut page = Page { limit: 2, before: None };
        let mut seen = Vec::new();
        loop {
            let list = page.of_all(all.clone(), |entry| *entry, |entry| entry);
            seen.push(list.data);
            let Some(cursor) = list.next_cursor else { break assert!(!list.has_more) };
            let uri = format!("/x?limit=2&cursor={cursor}").parse().unwrap();
            let mut query = Query::of(&uri);
            page = Page::of(&mut query);
            query.finish().unwrap();
        }
        assert_eq!(seen, [vec![5, 4], vec![3, 2], vec![1]]);
    }
}
