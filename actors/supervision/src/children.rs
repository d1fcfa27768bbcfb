//! Finds a supervisor's children by key or by actor id.
//!
//! Names in ractor are process-global and cost a registry entry each; a supervisor of 100,000
//! cascades needs neither. The table holds about 100 B a child besides the actor, and every
//! operation is O(1).
//!
//! Every incarnation has a [`Generation`]. An exit, a request to passivate or a timer that
//! belongs to an earlier incarnation is recognised as such and ignored: acting on it would stop
//! or forget a healthy successor.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use ractor::{ActorId, ActorRef, Message};

use crate::exit::{Cause, Exit};

/// Which incarnation of a child; unique and growing within one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

/// One living child.
#[derive(Debug)]
pub struct Child<M, D = ()> {
    actor: ActorRef<M>,
    generation: Generation,
    kill_requested: bool,
    /// What the supervisor remembers about it.
    pub data: D,
}

/// A supervisor's children: key ↔ actor id ↔ address ↔ generation.
///
/// `M` is the children's message type, `D` what the supervisor remembers about each.
pub struct ChildTable<K, M, D = ()> {
    by_key: HashMap<K, Child<M, D>>,
    by_actor: HashMap<ActorId, K>,
    last_generation: u64,
}

// === impl Child ===

impl<M, D> Child<M, D> {
    /// The child's present address; do not keep it beyond the handler, it dies with the child.
    pub const fn actor(&self) -> &ActorRef<M> {
        &self.actor
    }

    /// The incarnation.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Whose doing its end was, once it has ended like that.
    #[must_use]
    pub fn cause_of(&self, exit: &Exit) -> Cause {
        exit.cause(self.kill_requested)
    }
}

// === impl ChildTable ===

impl<K: Clone + Eq + Hash, M, D> ChildTable<K, M, D> {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self { by_key: HashMap::new(), by_actor: HashMap::new(), last_generation: 0 }
    }

    /// Mints the generation of a child about to be spawned, so that it can be told its own.
    pub fn next_generation(&mut self) -> Generation {
        self.last_generation += 1;
        Generation(self.last_generation)
    }

    /// Adds a child; returns the incarnation that it supersedes, whose later events are ignored.
    pub fn insert(
        &mut self,
        key: K,
        generation: Generation,
        actor: ActorRef<M>,
        data: D,
    ) -> Option<Child<M, D>> {
        let id = actor.get_id();
        let superseded =
            self.by_key.insert(key.clone(), Child { actor, generation, kill_requested: false, data });
        if let Some(old) = &superseded {
            debug_assert!(old.generation < generation, "generations only grow");
            self.by_actor.remove(&old.actor.get_id());
        }
        self.by_actor.insert(id, key);
        superseded
    }

    /// The living child of this key.
    pub fn get(&self, key: &K) -> Option<&Child<M, D>> {
        self.by_key.get(key)
    }

    /// The living child of this key, to change what is remembered about it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut Child<M, D>> {
        self.by_key.get_mut(key)
    }

    /// The child of this key if it still is the incarnation `generation`.
    pub fn get_current(&mut self, key: &K, generation: Generation) -> Option<&mut Child<M, D>> {
        self.by_key.get_mut(key).filter(|child| child.generation == generation)
    }

    /// Kills the living child of this key because somebody asks for it; whether there is one.
    ///
    /// Its end is not taken for a fault: see [`Child::cause_of`].
    pub fn kill(&mut self, key: &K) -> bool
    where
        M: Message,
    {
        let Some(child) = self.by_key.get_mut(key) else { return false };
        child.kill_requested = true;
        child.actor.kill();
        true
    }

    /// The key whose living child is this actor.
    pub fn key_of(&self, actor: ActorId) -> Option<&K> {
        self.by_actor.get(&actor)
    }

    /// Takes the child that has ended, on an exit event.
    ///
    /// `None` for an actor that is unknown, was removed, or has been superseded meanwhile:
    /// there is nothing to do for it.
    pub fn exited(&mut self, actor: ActorId) -> Option<(K, Child<M, D>)> {
        let key = self.by_actor.remove(&actor)?;
        let child = self.by_key.remove(&key)?;
        Some((key, child))
    }

    /// Takes a child out before it has ended; its exit will be ignored.
    pub fn remove(&mut self, key: &K) -> Option<Child<M, D>> {
        let child = self.by_key.remove(key)?;
        self.by_actor.remove(&child.actor.get_id());
        Some(child)
    }

    /// How many children live.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none lives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// All children, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Child<M, D>)> {
        self.by_key.iter()
    }
}

impl<K: Clone + Eq + Hash, M, D> Default for ChildTable<K, M, D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, M, D> fmt::Debug for ChildTable<K, M, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildTable").field("len", &self.by_key.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ractor::{Actor, ActorProcessingErr};

    use super::*;

    struct Idle;

    impl Actor for Idle {
        type Msg = ();
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _me: ActorRef<()>, _args: ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
    }

    async fn actor() -> ActorRef<()> {
        Idle::spawn(None, Idle, ()).await.unwrap().0
    }

    fn add(table: &mut ChildTable<u32, (), &'static str>, key: u32, actor: &ActorRef<()>) -> Generation {
        let generation = table.next_generation();
        table.insert(key, generation, actor.clone(), "data");
        generation
    }

    #[tokio::test]
    async fn a_child_is_found_by_key_and_by_actor() {
        let (mut table, one) = (ChildTable::new(), actor().await);
        let generation = add(&mut table, 1, &one);
        let child = table.get(&1).unwrap();
        assert_eq!((child.actor().get_id(), child.generation()), (one.get_id(), generation));
        assert_eq!(table.key_of(one.get_id()), Some(&1));
        assert_eq!(table.get(&2).map(Child::generation), None);
    }

    #[tokio::test]
    async fn the_exit_of_a_superseded_incarnation_leaves_its_successor() {
        let (mut table, old, new) = (ChildTable::new(), actor().await, actor().await);
        let first = add(&mut table, 1, &old);
        let second = add(&mut table, 1, &new);

        assert!(table.exited(old.get_id()).is_none());
        assert!(table.get_current(&1, first).is_none());
        assert!(table.get_current(&1, second).is_some());

        let (key, child) = table.exited(new.get_id()).unwrap();
        assert_eq!((key, child.generation(), child.data), (1, second, "data"));
        assert!(table.is_empty());
        assert!(table.by_actor.is_empty());
    }

    #[tokio::test]
    async fn generations_grow_across_removal() {
        let (mut table, actor) = (ChildTable::new(), actor().await);
        let first = add(&mut table, 1, &actor);
        assert!(table.remove(&1).is_some());
        assert!(table.exited(actor.get_id()).is_none());
        assert!(add(&mut table, 1, &actor) > first);
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn an_entry_stays_compact() {
        // Key twice, actor id, address, generation: with a 16-byte key, before hash overhead.
        let per_child = size_of::<(u128, Child<()>)>() + size_of::<(ActorId, u128)>();
        assert!(per_child <= 96, "{per_child} B a child");
    }
}
