//! Configuration: one struct per component, documented defaults, every problem reported at once.
