//! Where a collection is, and what all of them have in common.

use super::{Command, Error, Filter, Key, Reply, Store};
use std::fmt;
use std::sync::Arc;

/// A key in a store.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) store: Arc<dyn Store>,
    pub(super) key: Key,
}

impl Place {
    pub(super) async fn run(&self, command: impl Into<Command>) -> Result<Reply, Error> {
        self.store.run(&self.key, command.into()).await
    }

    pub(super) fn filter(&self) -> Filter {
        Filter::key(&self.key)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.key, f)
    }
}

/// The handle's own traits, and the methods that every collection has.
macro_rules! collection {
    ($name:ident<$($t:ident),*>) => {
        impl<$($t),*> $name<$($t),*> {
            pub(super) fn at(place: $crate::knowledge::place::Place) -> Self {
                Self { place, of: std::marker::PhantomData }
            }

            /// The full name under which it is kept, with the scope's prefix.
            #[must_use]
            pub fn key(&self) -> &$crate::knowledge::Key {
                &self.place.key
            }

            /// Deletes it with all that is in it; whether there was anything.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves open whether it happens.
            #[doc(alias = "delete")]
            pub async fn clear(&self) -> Result<bool, $crate::knowledge::Error> {
                self.place.run($crate::knowledge::KeyCommand::Delete).await?.flag(self.key())
            }

            /// Whether there is anything under its key.
            ///
            /// # Cancel safety
            ///
            /// Yes: it only reads.
            pub async fn exists(&self) -> Result<bool, $crate::knowledge::Error> {
                self.place.run($crate::knowledge::KeyCommand::Exists).await?.flag(self.key())
            }

            /// Lets it cease after this time, counted from now; `false` if there is nothing.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves open whether it happens.
            pub async fn expire(&self, after: std::time::Duration) -> Result<bool, $crate::knowledge::Error> {
                self.place.run($crate::knowledge::KeyCommand::Expire(after)).await?.flag(self.key())
            }

            /// The time until it ceases, or `None` if it stays.
            ///
            /// # Cancel safety
            ///
            /// Yes: it only reads.
            pub async fn time_to_live(&self) -> Result<Option<std::time::Duration>, $crate::knowledge::Error> {
                let reply = self.place.run($crate::knowledge::KeyCommand::TimeToLive).await?;
                reply.non_nil().map(|reply| reply.time(self.key())).transpose()
            }

            /// Lets it stay; whether it would have ceased.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves open whether it happens.
            pub async fn persist(&self) -> Result<bool, $crate::knowledge::Error> {
                self.place.run($crate::knowledge::KeyCommand::Persist).await?.flag(self.key())
            }
        }

        impl<$($t),*> Clone for $name<$($t),*> {
            fn clone(&self) -> Self {
                Self::at(self.place.clone())
            }
        }

        impl<$($t),*> std::fmt::Debug for $name<$($t),*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.place).finish()
            }
        }
    };
}
