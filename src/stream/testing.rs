//! Marble tests in virtual time.
