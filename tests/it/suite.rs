//! One test for each claim of a suite, for one backend.

/// `tests_of!(backend, world, (start_paused = true), crate::path::to::suite: claim, other_claim)`: each claim is an
/// async function that is given a fresh world.
macro_rules! tests_of {
    ($backend:ident, $world:expr, ($($clock:ident = $paused:literal)?), $($suite:ident)::+: $($claim:ident),* $(,)?) => {
        $crate::suite::tests_of! { @each $backend, $world, ($($clock = $paused)?), {$($suite)::+}, $($claim)* }
    };
    (@each $backend:ident, $world:expr, $clock:tt, $suite:tt, $($claim:ident)*) => {
        mod $backend {
            $($crate::suite::tests_of! { @one $world, $clock, $suite, $claim })*
        }
    };
    (@one $world:expr, ($($clock:ident = $paused:literal)?), {$($suite:tt)+}, $claim:ident) => {
        #[tokio::test($($clock = $paused)?)]
        async fn $claim() {
            crate::$($suite)+::$claim($world).await;
        }
    };
}
pub(crate) use tests_of;

/// Polls `condition` on tokio's clock until it holds; panics after ten seconds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// An error with all that it comes from, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
