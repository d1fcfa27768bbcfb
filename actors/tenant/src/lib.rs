//! One actor a tenant: admission per lane, configuration snapshot, its cascades.
