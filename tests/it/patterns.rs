//! The programs about distributed loops, as people run them: all parties in one process, and each in its own.

#[cfg(feature = "redis")]
mod apart;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// An example program; `cargo build --all-features --examples` makes them.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program: PathBuf = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: cargo build --all-features --examples", program.display());
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it printed, line by line; it must have come to its end.
pub(crate) fn lines(Output { status, stdout, stderr }: Output) -> Vec<String> {
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(status.success(), "{status}\n{stdout}{stderr}");
    stdout.lines().map(String::from).collect()
}

/// What `examples/README.md` says it prints: the section's block of text.
pub(crate) fn documented(name: &str) -> Vec<String> {
    let readme = include_str!("../../examples/README.md");
    let (_, section) = readme.split_once(&format!("\n## {name}\n")).unwrap();
    let (_, block) = section.split_once("\n```text\n").unwrap();
    let (block, _) = block.split_once("\n```\n").unwrap();
    block.lines().map(String::from).collect()
}

#[test]
fn in_one_process_each_prints_what_is_documented() {
    let programs = [
        ("information_sharing", &[][..]),
        ("coordinated_control", &[]),
        ("master_slave", &[]),
        ("regional_planning", &[]),
        ("hierarchical_control", &[]),
        ("ambulance_redis", &["--backend", "memory:"]),
    ];
    for (name, arguments) in programs {
        let printed = lines(example(name).args(arguments).output().unwrap());
        assert_eq!(printed, documented(name), "{name}");
    }
}

#[test]
fn a_single_role_in_memory_is_told_that_it_has_nobody_to_talk_to() {
    let Output { status, stderr, .. } = example("master_slave").args(["--role", "master"]).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(stderr.contains("a single role on `memory:` has nobody to talk to"), "{stderr}");
}
