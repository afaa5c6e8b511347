//! In which of a cluster's slots a key lies.

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// What braces in a key, or in the beginning of all keys, keep together: what is between the first `{` and the next
/// `}`, unless that is nothing.
pub(super) fn tag(key: &str) -> Option<&str> {
    let (_, rest) = key.split_once('{')?;
    let (tag, _) = rest.split_once('}')?;
    (!tag.is_empty()).then_some(tag)
}

/// The slot of all keys with this tag.
pub(super) fn slot(tag: &str) -> u16 {
    // CRC-16/XMODEM, as the specification of Redis Cluster has it.
    let crc = tag.bytes().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // As `CLUSTER KEYSLOT` answers.
        for (tag, expected) in [("123456789", 12_739), ("foo", 12_182), ("mape", 14_421), ("", 0)] {
            assert_eq!(slot(tag), expected, "{tag}");
        }
    }

    #[test]
    fn the_tag_is_what_the_first_braces_hold() {
        for (key, expected) in [
            ("{mape}k.app.x", Some("mape")),
            ("a{b}{c}", Some("b")),
            ("{{b}}c", Some("{b")),
            ("{}{a}", None),
            ("a}b{c", None),
            ("plain", None),
        ] {
            assert_eq!(tag(key), expected, "{key}");
        }
    }
}
