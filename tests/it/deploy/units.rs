//! Units of systemd.

use super::{are_understood, is_valid, text};
use std::collections::BTreeMap;

const UNITS: [&str; 3] = ["mape-serve.service", "mape-worker@.service", "mape-receipts.service"];

/// What a unit may have, by section.
const KNOWN: [(&str, &[&str]); 3] = [
    ("Unit", &["Description", "Documentation", "Wants", "After"]),
    (
        "Service",
        &[
            "AmbientCapabilities",
            "CapabilityBoundingSet",
            "DynamicUser",
            "EnvironmentFile",
            "ExecStart",
            "KillSignal",
            "LimitNOFILE",
            "LockPersonality",
            "MemoryDenyWriteExecute",
            "NoNewPrivileges",
            "PrivateDevices",
            "PrivateTmp",
            "PrivateUsers",
            "ProtectClock",
            "ProtectControlGroups",
            "ProtectHome",
            "ProtectHostname",
            "ProtectKernelLogs",
            "ProtectKernelModules",
            "ProtectKernelTunables",
            "ProtectProc",
            "ProtectSystem",
            "RemoveIPC",
            "Restart",
            "RestartSec",
            "RestrictAddressFamilies",
            "RestrictNamespaces",
            "RestrictRealtime",
            "RestrictSUIDSGID",
            "StateDirectory",
            "StateDirectoryMode",
            "SyslogIdentifier",
            "SystemCallArchitectures",
            "SystemCallErrorNumber",
            "SystemCallFilter",
            "TimeoutStopSec",
            "Type",
            "UMask",
            "WorkingDirectory",
        ],
    ),
    ("Install", &["WantedBy"]),
];

/// The values of each key, by `Section.Key`.
fn unit(name: &str) -> BTreeMap<String, Vec<String>> {
    let (mut values, mut section) = (BTreeMap::<_, Vec<_>>::new(), String::new());
    for line in text(&format!("systemd/{name}")).lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            title.clone_into(&mut section);
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}"));
        let known =
            KNOWN.iter().find(|(one, _)| *one == section).unwrap_or_else(|| panic!("{name}: [{section}]"));
        assert!(known.1.contains(&key), "{name}: [{section}] {key}");
        values.entry(format!("{section}.{key}")).or_default().push(value.to_owned());
    }
    values
}

#[test]
fn units_start_what_the_program_can_do() {
    for name in UNITS {
        let unit = unit(name);
        let [line] = &unit["Service.ExecStart"][..] else { panic!("{name}: one program") };
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some("/usr/local/bin/mape"), "{name}");
        are_understood(&words.collect::<Vec<_>>());
        assert_eq!(unit["Install.WantedBy"], ["multi-user.target"], "{name}");
    }
    is_valid("systemd/config.yaml", &["systemd/mape.env.example"]);
}

#[test]
fn units_give_the_program_no_more_than_it_needs_and_time_to_end() {
    for name in UNITS {
        let unit = unit(name);
        let is = |key: &str, value: &str| {
            assert_eq!(
                unit.get(&format!("Service.{key}")).map(Vec::as_slice),
                Some(&[value.to_owned()][..]),
                "{name}: {key}"
            );
        };
        for key in [
            "DynamicUser",
            "NoNewPrivileges",
            "PrivateTmp",
            "PrivateDevices",
            "ProtectHome",
            "MemoryDenyWriteExecute",
        ] {
            is(key, "yes");
        }
        is("ProtectSystem", "strict");
        is("CapabilityBoundingSet", "");
        is("Restart", "always");
        is("KillSignal", "SIGTERM");
        // Secrets are in a file that only root reads; it may be missing, for there may be none.
        is("EnvironmentFile", "-/etc/mape/mape.env");
        let seconds: u64 = unit["Service.TimeoutStopSec"][0].parse().unwrap();
        assert!(seconds >= 30, "{name}: it answers for 10 s");
        assert!(unit.contains_key("Service.StateDirectory"), "{name}");
    }
}
