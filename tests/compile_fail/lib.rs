//! Empty: this package only carries the test.
