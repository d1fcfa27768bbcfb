//! The root of the tree: recovery, deadlines, projector and drain.
