//! Tenants, keys, connections and endpoints: a typed, cached view of the registry, and the minting of ids.
