//! Runs provider adapters: sandboxed WebAssembly components with limits and hot swap.
