//! Supervision for ractor: exit classes, restart budget, backoff and a child table.
