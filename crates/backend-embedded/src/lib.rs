//! Every port on one SQLite database in the process.
