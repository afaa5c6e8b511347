//! Operators of time, buffers, windows, groups and folding against list models, in virtual time.
