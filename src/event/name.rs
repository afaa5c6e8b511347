//! Names of logs, groups and consumers.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A cheap text with a meaning.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name.into())
            }
        }

        impl From<&$name> for $name {
            fn from(name: &$name) -> Self {
                name.clone()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

name! {
    /// The name of a log, such as `workflows:run`; on Redis the key of its stream.
    LogName
}

name! {
    /// The name of a consumer group: those who share the events of a log among them.
    GroupName
}

name! {
    /// The name of one member of a group, unique among those that live at the same time.
    ConsumerName
}

impl LogName {
    /// The log into which this one's dead letters go.
    #[must_use]
    pub fn dead(&self) -> Self {
        format!("{self}:dead").into()
    }
}

impl ConsumerName {
    /// A name that nobody else has.
    #[must_use]
    pub fn random() -> Self {
        format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into()
    }
}

/// One member of a consumer group of a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Consumer {
    /// The log it reads.
    pub log: LogName,
    /// Its group.
    pub group: GroupName,
    /// Its name in the group.
    pub name: ConsumerName,
}

impl Consumer {
    /// The member `name` of `group` on `log`.
    #[must_use]
    pub fn new(log: impl Into<LogName>, group: impl Into<GroupName>, name: impl Into<ConsumerName>) -> Self {
        Self { log: log.into(), group: group.into(), name: name.into() }
    }
}
