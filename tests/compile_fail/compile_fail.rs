//! Wrong programs do not compile, and what the compiler says of each can be read.
//!
//! Every file in `cases/` has next to it what the compiler says. When a message changes, look at it as a user would:
//! if it is as good, `TRYBUILD=overwrite cargo test -p mape-compile-fail` takes it down. The texts are those of the
//! toolchain that `rust-version` names; another one may word them differently.

#[test]
fn wrong_programs_are_refused_with_a_message_that_a_person_can_read() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
