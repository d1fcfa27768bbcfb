//! New identifiers.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use arc_swap::ArcSwap;
use hermes_domain::{
    BatchId, CascadeTemplateId, ConnectionId, EndpointId, InboundId, KeyId, MessageId, QuoteId, RateCardId,
    RequestId, RouteId, SenderId, SuppressionId, TemplateId, TenantId, UnixMillis,
};
use hermes_ports::Clock;

/// Mints ids: message ids in partitions that this process owns, others from random bits.
#[derive(Debug)]
pub struct Mint {
    clock: Arc<dyn Clock>,
    partitions: ArcSwap<Vec<u8>>,
    sequence: AtomicU32,
}

macro_rules! random_ids {
    ($($(#[$doc:meta])* $function:ident -> $id:ident;)*) => {$(
        $(#[$doc])*
        pub fn $function(&self) -> $id {
            $id::new(self.clock.now(), rand::random())
        }
    )*};
}

impl Mint {
    /// Mints messages round-robin over `partitions`; without any, over all of them.
    pub fn new(clock: Arc<dyn Clock>, partitions: Vec<u8>) -> Self {
        let mint = Self {
            clock,
            partitions: ArcSwap::from_pointee(Vec::new()),
            sequence: AtomicU32::new(rand::random::<u16>().into()),
        };
        mint.own(partitions);
        mint
    }

    /// Changes which partitions are minted in; an empty list means all.
    pub fn own(&self, partitions: Vec<u8>) {
        let partitions = if partitions.is_empty() { (0..=u8::MAX).collect() } else { partitions };
        self.partitions.store(Arc::new(partitions));
    }

    /// A message id, with the clock's time inside.
    pub fn message(&self) -> MessageId {
        self.message_at(self.clock.now())
    }

    /// A message id made at `at`. Unique within this process as long as fewer than 16,384 are minted
    /// a millisecond.
    pub fn message_at(&self, at: UnixMillis) -> MessageId {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let partitions = self.partitions.load();
        let partition = partitions[sequence as usize % partitions.len()];
        // Only the low 14 bits of the sequence enter the id.
        MessageId::mint(at, partition, (sequence & 0xffff) as u16, rand::random())
    }

    random_ids! {
        /// A tenant id.
        tenant -> TenantId;
        /// An id of an API key.
        key -> KeyId;
        /// A connection id.
        connection -> ConnectionId;
        /// An id of a webhook endpoint.
        endpoint -> EndpointId;
        /// An id of a stored cascade.
        cascade -> CascadeTemplateId;
        /// An id of a message template.
        template -> TemplateId;
        /// An id of a rule for routing.
        route -> RouteId;
        /// An id of a rate card.
        rate_card -> RateCardId;
        /// An id of a quote.
        quote -> QuoteId;
        /// An id of an inbound message.
        inbound -> InboundId;
        /// An id of a sender.
        sender -> SenderId;
        /// An id of a suppression.
        suppression -> SuppressionId;
        /// An id of a batch.
        batch -> BatchId;
        /// A request id.
        request -> RequestId;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> UnixMillis {
            UnixMillis(1_767_323_045_678)
        }
    }

    #[test]
    fn messages_of_one_millisecond_differ_in_their_storage_keys() {
        let mint = Mint::new(Arc::new(Stopped), vec![3, 200]);
        let ids: Vec<_> = (0..10_000).map(|_| mint.message()).collect();
        let keys: HashSet<_> = ids.iter().map(|id| id.storage_key()).collect();
        assert_eq!(keys.len(), ids.len());
        let partitions: HashSet<_> = ids.iter().map(|id| id.partition()).collect();
        assert_eq!(partitions, HashSet::from([3, 200]));
    }

    #[test]
    fn without_partitions_of_its_own_every_partition_is_used() {
        let mint = Mint::new(Arc::new(Stopped), Vec::new());
        let partitions: HashSet<_> = (0..256).map(|_| mint.message().partition()).collect();
        assert_eq!(partitions.len(), 256);
        assert_ne!(mint.tenant(), mint.tenant());
    }
}
