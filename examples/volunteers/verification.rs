//! Mail addresses, and the PINs that prove that somebody reads them.

use std::fmt;
use std::time::Duration;

use anyhow::ensure;
use mape::knowledge::Value;
use serde::{Deserialize, Serialize};

use crate::shared::Shared;

/// For how long a PIN is good.
const GOOD_FOR: Duration = Duration::from_mins(10);
/// How often one may try it.
const TRIES: i64 = 3;

/// A mail address that waits to be verified; knowledge that expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub email: String,
    pub pin: Pin,
}

/// Six digits that only the reader of a mail knows; they are in no log, no job and no error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(String);

impl Pin {
    fn random() -> anyhow::Result<Self> {
        // The largest multiple of a million that fits: what is above would favour small numbers.
        const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
        loop {
            let number = getrandom::u32()?;
            if number < FAIR {
                return Ok(Self(format!("{:06}", number % 1_000_000)));
            }
        }
    }

    /// For the mail.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compared in a time that tells nothing.
    fn is(&self, given: &str) -> bool {
        let differs = self.0.bytes().zip(given.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        self.0.len() == given.len() && differs == 0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What came of a PIN that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tried {
    Right,
    Wrong,
    /// Too often, or too late: another one has to be asked for.
    Over,
}

/// The job that sends the mail. The PIN is not in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mail {
    pub organiser: String,
}

/// Whether it can be written to without harm: what is here goes into the commands of a mail server.
pub fn is_address(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"".contains(c);
    let parts = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    text.len() <= 254 && parts && text.chars().all(fits)
}

/// Makes a PIN for an address and has it sent there.
pub async fn begin(shared: &Shared, organiser: &str, email: &str) -> anyhow::Result<()> {
    ensure!(is_address(email), "this is no mail address");
    let verification = Verification { email: email.to_owned(), pin: Pin::random()? };
    // Longer than the PIN, or the last tries would be free.
    shared.tries(organiser).set_for(&0, 2 * GOOD_FOR).await?;
    shared.verification(organiser).set_for(&verification, GOOD_FOR).await?;
    let _ = shared.queues.email.add(&Mail { organiser: organiser.to_owned() }).await?;
    Ok(())
}

/// Tries a PIN; the right one makes the integration.
pub async fn finish(shared: &Shared, organiser: &str, given: &str) -> anyhow::Result<Tried> {
    let (waiting, tries): (Value<Verification>, _) =
        (shared.verification(organiser), shared.tries(organiser));
    let Some(verification) = waiting.get().await? else { return Ok(Tried::Over) };
    // Counted first, and as one: who tries several at once has no more tries for that.
    if tries.increment(1).await? > TRIES {
        let _ = waiting.take().await?;
        return Ok(Tried::Over);
    }
    if !verification.pin.is(given.trim()) {
        return Ok(Tried::Wrong);
    }
    shared.integration(organiser).set(&verification.email).await?;
    let _ = waiting.take().await?;
    Ok(Tried::Right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_six_digits_is_another_each_time_and_does_not_show_itself() {
        let pins: Vec<_> = (0..32).map(|_| Pin::random().unwrap()).collect();
        assert!(pins.iter().all(|pin| pin.0.len() == 6 && pin.0.bytes().all(|digit| digit.is_ascii_digit())));
        assert!(pins.iter().any(|pin| pin.0 != pins[0].0));
        assert_eq!(format!("{:?}", pins[0]), "[redacted]");
        let Pin(text) = &pins[0];
        assert!(
            pins[0].is(text)
                && !pins[0].is(&text[..5])
                && !pins[0].is("")
                && !pins[0].is(&format!("{text}0"))
        );
    }

    #[test]
    fn an_address_holds_no_commands() {
        assert!(is_address("ada@example.org"));
        for wrong in ["", "ada", "@example.org", "a@b", "a@b.c\r\nRCPT TO:<x@y.z>", "<a@b.c>", "a b@c.d"] {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
