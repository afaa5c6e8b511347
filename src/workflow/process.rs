//! Whether the process of an engine is gone, where that can be seen.

use std::fs;
use std::path::Path;

/// What a sign of life says of this process: the machine as it was started, the space of its process numbers, and its
/// number there. Empty where a system does not tell (all but Linux): there is only the lease then.
pub(super) fn this() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let space = fs::read_link("/proc/self/ns/pid").ok();
    match boot.zip(space) {
        Some((boot, space)) => format!("{} {} {}", boot.trim(), space.display(), std::process::id()),
        None => String::new(),
    }
}

/// Whether the process that gave a sign of life was one of this machine and is gone.
pub(super) fn is_gone(sign: &str) -> bool {
    let place =
        |sign: &str| sign.rsplit_once(' ').map(|(place, number)| (place.to_owned(), number.to_owned()));
    match (place(sign), place(&this())) {
        (Some((there, number)), Some((here, _))) => {
            there == here && !Path::new("/proc").join(number).exists()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_gone, this};

    #[test]
    fn only_a_process_of_this_machine_is_known_to_be_gone() {
        assert!(!is_gone(&this()));
        assert!(!is_gone("lives") && !is_gone("another-machine pid:[1] 4194305"));
        if let Some((place, _)) = this().rsplit_once(' ') {
            // Numbers end below that.
            assert!(is_gone(&format!("{place} 4194305")));
        }
    }
}
