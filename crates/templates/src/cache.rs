//! Compiled versions, the most recently used ones.

use std::{num::NonZeroUsize, sync::Arc};

use hermes_domain::{TemplateId, template::TemplateBody};
use lru::LruCache;
use parking_lot::Mutex;

use crate::{compiled::Compiled, fault::Fault, limits::Limits};

/// Most versions kept.
const ENTRIES_MAX: NonZeroUsize = match NonZeroUsize::new(1_024) {
    Some(entries) => entries,
    None => NonZeroUsize::MIN,
};
/// Most bytes of template sources behind them; what is compiled takes a small multiple.
const SOURCE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Versions never change, so an entry is never stale.
#[derive(Debug)]
pub struct TemplateCache {
    limits: Limits,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    versions: LruCache<(TemplateId, u32), Arc<Compiled>>,
    source_bytes: usize,
    source_bytes_max: usize,
}

impl Default for TemplateCache {
    /// At most 1,024 versions, with sources of 16 MiB.
    fn default() -> Self {
        Self::new(ENTRIES_MAX, SOURCE_BYTES_MAX)
    }
}

impl TemplateCache {
    fn new(entries_max: NonZeroUsize, source_bytes_max: usize) -> Self {
        let kept = Kept { versions: LruCache::new(entries_max), source_bytes: 0, source_bytes_max };
        Self { limits: Limits::default(), kept: Mutex::new(kept) }
    }

    /// Version `version` of template `id`, compiled now unless it was before.
    ///
    /// # Errors
    /// As [`Compiled::of`]: only for a version that another build had let in.
    pub fn get(
        &self,
        (id, version): (TemplateId, u32),
        body: &Arc<TemplateBody>,
    ) -> Result<Arc<Compiled>, Vec<Fault>> {
        if let Some(compiled) = self.kept.lock().versions.get(&(id, version)) {
            return Ok(Arc::clone(compiled));
        }
        // Outside the lock: two threads may compile the same version, and one result is kept.
        let compiled = Arc::new(Compiled::of(Arc::clone(body), self.limits)?);
        self.kept.lock().keep((id, version), Arc::clone(&compiled));
        Ok(compiled)
    }
}

impl Kept {
    fn keep(&mut self, key: (TemplateId, u32), compiled: Arc<Compiled>) {
        self.source_bytes += compiled.source_bytes();
        if let Some((_, replaced)) = self.versions.push(key, compiled) {
            self.source_bytes -= replaced.source_bytes();
        }
        while self.source_bytes > self.source_bytes_max
            && let Some((_, oldest)) = self.versions.pop_lru()
        {
            self.source_bytes -= oldest.source_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::{UnixMillis, content::Content};

    fn body(bytes: usize) -> Arc<TemplateBody> {
        let content = Content { text: Some("x".repeat(bytes)), ..Content::default() };
        let da: hermes_domain::locale::Locale = "da".parse().unwrap();
        let locales = [(da.clone(), content)].into();
        Arc::new(TemplateBody { default_locale: da, variables: Vec::new(), locales })
    }

    fn kept(cache: &TemplateCache) -> (usize, usize) {
        let kept = cache.kept.lock();
        (kept.versions.len(), kept.source_bytes)
    }

    #[test]
    fn it_stays_within_its_limits_and_keeps_what_was_used_last() {
        let id = |number| TemplateId::new(UnixMillis(1), number);
        let cache = TemplateCache::new(NonZeroUsize::new(3).unwrap(), 100);
        for number in 0..5 {
            cache.get((id(number), 1), &body(10)).unwrap();
        }
        assert_eq!(kept(&cache), (3, 30));
        let first = cache.get((id(4), 1), &body(10)).unwrap();
        assert!(Arc::ptr_eq(&first, &cache.get((id(4), 1), &body(10)).unwrap()));
        cache.get((id(9), 1), &body(90)).unwrap();
        assert_eq!(kept(&cache), (2, 100));
        cache.get((id(9), 2), &body(1_000)).unwrap();
        assert_eq!(kept(&cache), (0, 0), "what is too large is not kept");
    }
}
