//! Nodes on a server that fails.
