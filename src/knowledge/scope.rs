//! The scopes of knowledge.

use super::on_change::{self, OnChange};
use super::place::Place;
use super::{
    Changes, Error, Fact, Filter, Hash, Key, Keyspace, List, Local, Lock, Notice, PriorityQueue, Queue, Set,
    SortedSet, Stack, Store, Value,
};
use std::fmt;
use std::sync::Arc;

/// Who shares knowledge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everyone in the app: keys `k.app.…`.
    App,
    /// The loops of the level with this uid: keys `k.level.<uid>.…`.
    Level(String),
    /// The elements of the loop with this uid: keys `k.loop.<uid>.…`.
    Loop(String),
}

impl fmt::Display for Scope {
    /// The prefix of the scope's keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App => f.write_str("k.app."),
            Self::Level(uid) => write!(f, "k.level.{uid}."),
            Self::Loop(uid) => write!(f, "k.loop.{uid}."),
        }
    }
}

/// The knowledge of one scope; a cheap handle that makes typed collections by name.
///
/// Two collections of the same name and kind, made anywhere on the same store, are the same. Making one touches
/// nothing: a wrong kind shows when it is used ([`Error::WrongKind`]).
///
/// Source: `app.k`, `level.k`, `loop.k` of `PyMAPE`.
#[derive(Clone)]
pub struct Knowledge {
    store: Arc<dyn Store>,
    scope: Scope,
    prefix: Arc<str>,
    local: Local,
}

/// A constructor for each collection.
macro_rules! makers {
    ($($(#[$doc:meta])* $maker:ident -> $name:ident<$($t:ident),*>;)*) => {
        impl Knowledge {$(
            $(#[$doc])*
            #[must_use]
            pub fn $maker<$($t: Fact),*>(&self, name: &str) -> $name<$($t),*> {
                $name::at(self.place(name))
            }
        )*}
    };
}

makers! {
    /// The single value `name`.
    value -> Value<T>;
    /// The hash `name`.
    #[doc(alias = "create_hash")]
    hash -> Hash<K, V>;
    /// The set `name`.
    #[doc(alias = "create_set")]
    set -> Set<T>;
    /// The list `name`.
    #[doc(alias = "create_list")]
    list -> List<T>;
    /// The sorted set `name`.
    #[doc(alias = "create_sortedset")]
    sorted_set -> SortedSet<T>;
    /// The queue `name`: first in, first out.
    #[doc(alias = "create_queue")]
    queue -> Queue<T>;
    /// The stack `name`: last in, first out.
    #[doc(alias = "create_lifoqueue")]
    stack -> Stack<T>;
    /// The priority queue `name`: lowest number first.
    #[doc(alias = "create_priorityqueue")]
    priority_queue -> PriorityQueue<T>;
}

impl Knowledge {
    /// The knowledge of `scope` in `store`, with local values of its own.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, scope: Scope) -> Self {
        let prefix = scope.to_string().into();
        Self { store, scope, prefix, local: Local::default() }
    }

    /// Another scope in the same store.
    #[must_use]
    pub fn scoped(&self, scope: Scope) -> Self {
        Self::new(self.store.clone(), scope)
    }

    /// The lock `name`.
    #[doc(alias = "create_lock")]
    #[must_use]
    pub fn lock(&self, name: &str) -> Lock {
        Lock::at(self.place(name))
    }

    /// All keys of this scope.
    #[doc(alias = "create_keyspace")]
    #[must_use]
    pub fn keyspace(&self) -> Keyspace {
        Keyspace::at(self.store.clone(), self.prefix.clone())
    }

    /// Values that live in this process only and in no store; clones of this handle share them.
    #[must_use]
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// The changes of this scope's keys that `filter` accepts, from now on; the filter's key or glob is relative to
    /// the scope, the key in a [`Change`](super::Change) is the full one ([`name`](Self::name) takes the prefix off).
    ///
    /// # Delivery
    ///
    /// Every change in order for each key, whoever makes it; a watcher that is too slow is told how many it missed.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future watches nothing.
    #[doc(alias = "notifications")]
    pub async fn watch(&self, filter: Filter) -> Result<Changes, Error> {
        self.store.watch(filter.prefixed(&self.prefix)).await
    }

    /// Calls `handler` for every notice of [`watch`](Self::watch), one after the other, in a task of its own that ends
    /// when the guard is dropped.
    ///
    /// A handler that panics is called again for the next notice; the panic is logged. A handler that is slow misses
    /// changes as a slow watcher does, and is told so.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future watches nothing.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[doc(alias = "notifications")]
    pub async fn on_change(
        &self,
        filter: Filter,
        mut handler: impl FnMut(Notice) + Send + 'static,
    ) -> Result<OnChange, Error> {
        let handler = move |notice| {
            handler(notice);
            std::future::ready(())
        };
        self.on_change_async(filter, handler).await
    }

    /// As [`on_change`](Self::on_change), with an asynchronous handler; the next notice waits until it is done.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future watches nothing.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[doc(alias = "notifications")]
    pub async fn on_change_async<F>(
        &self,
        filter: Filter,
        handler: impl FnMut(Notice) -> F + Send + 'static,
    ) -> Result<OnChange, Error>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Ok(on_change::spawn(self.watch(filter).await?, handler))
    }

    /// The store behind it, for transactions.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Whose knowledge it is.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The name in this scope that `key` stands for, if it is one of this scope's.
    #[must_use]
    pub fn name<'k>(&self, key: &'k Key) -> Option<&'k str> {
        key.strip_prefix(&*self.prefix)
    }

    fn place(&self, name: &str) -> Place {
        Place { store: self.store.clone(), key: format!("{}{name}", self.prefix).into() }
    }
}

impl fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge")
            .field("scope", &self.scope)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
