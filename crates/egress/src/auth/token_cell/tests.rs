use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::UNIX_EPOCH,
};

use reqwest::header::HeaderValue;
use tokio::{sync::Notify, task::JoinSet};

use super::*;

/// A clock in seconds that tests move, and an endpoint that counts.
#[derive(Clone, Default)]
struct World {
    now_s: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    gate: Arc<Notify>,
}

impl World {
    fn clock(&self) -> Clock {
        let now_s = Arc::clone(&self.now_s);
        Arc::new(move || UNIX_EPOCH + Duration::from_secs(now_s.load(Ordering::SeqCst)))
    }

    /// A token numbered by how often the endpoint was asked, valid for 1,000 s.
    fn grant(&self) -> impl Future<Output = Result<Token, EgressError>> + Send + 'static {
        let (world, at) = (self.clone(), self.clock()());
        async move {
            let number = world.asked.fetch_add(1, Ordering::SeqCst) + 1;
            let value = HeaderValue::try_from(format!("Bearer {number}")).unwrap();
            Ok(Token::new(value, at, Duration::from_secs(1000)))
        }
    }

    /// As [`Self::grant`], once the gate opens.
    fn grant_later(&self) -> impl Future<Output = Result<Token, EgressError>> + Send + 'static {
        let (gate, grant) = (Arc::clone(&self.gate), self.grant());
        async move {
            gate.notified().await;
            grant.await
        }
    }

    fn fail(&self) -> impl Future<Output = Result<Token, EgressError>> + Send + 'static {
        let asked = Arc::clone(&self.asked);
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            Err(EgressError::Token("down".into()))
        }
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn text(token: &Arc<Token>) -> &str {
    token.authorization().to_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn callers_without_a_token_share_one_request() {
    let (world, cell) = (World::default(), TokenCell::default());
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let (world, cell) = (world.clone(), cell.clone());
        callers.spawn(async move { cell.get(&world.clock(), || world.grant_later()).await });
    }
    tokio::task::yield_now().await;
    world.gate.notify_one();
    for got in callers.join_all().await {
        assert_eq!(text(&got.unwrap()), "Bearer 1");
    }
    assert_eq!(world.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_expiring_token_is_handed_out_while_one_task_renews_it() {
    let (world, cell) = (World::default(), TokenCell::default());
    cell.get(&world.clock(), || world.grant()).await.unwrap();
    world.now_s.store(701, Ordering::SeqCst);
    for _ in 0..5 {
        let token = cell.get(&world.clock(), || world.grant_later()).await.unwrap();
        assert_eq!(text(&token), "Bearer 1");
    }
    world.gate.notify_one();
    // The renewal releases its turn when it is done.
    drop(cell.renewal.lock().await);
    let token = cell.get(&world.clock(), || world.grant()).await.unwrap();
    assert_eq!((text(&token), world.asked()), ("Bearer 2", 2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_early_renewal_leaves_the_old_token_in_use() {
    let (world, cell) = (World::default(), TokenCell::default());
    cell.get(&world.clock(), || world.grant()).await.unwrap();
    world.now_s.store(701, Ordering::SeqCst);
    cell.get(&world.clock(), || world.fail()).await.unwrap();
    drop(cell.renewal.lock().await);
    assert_eq!(text(&cell.get(&world.clock(), || world.grant()).await.unwrap()), "Bearer 1");
    world.now_s.store(1000, Ordering::SeqCst);
    tokio::time::advance(FAILURE_HOLDS).await;
    assert_eq!(text(&cell.get(&world.clock(), || world.grant()).await.unwrap()), "Bearer 3");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_for_a_second() {
    let (world, cell) = (World::default(), TokenCell::default());
    for _ in 0..10 {
        let failed = cell.get(&world.clock(), || world.fail()).await.unwrap_err();
        assert_eq!(failed, EgressError::Token("down".into()));
    }
    assert_eq!(world.asked(), 1);
    tokio::time::advance(FAILURE_HOLDS).await;
    assert_eq!(text(&cell.get(&world.clock(), || world.grant()).await.unwrap()), "Bearer 2");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_dropped_once_it_is_not_brand_new() {
    let (world, cell) = (World::default(), TokenCell::default());
    let first = cell.get(&world.clock(), || world.grant()).await.unwrap();
    cell.refused(&first, world.clock()());
    assert_eq!(text(&cell.get(&world.clock(), || world.grant()).await.unwrap()), "Bearer 1");
    world.now_s.store(31, Ordering::SeqCst);
    cell.refused(&first, world.clock()());
    assert_eq!(text(&cell.get(&world.clock(), || world.grant()).await.unwrap()), "Bearer 2");
    cell.refused(&first, world.clock()());
    assert_eq!(text(&cell.get(&world.clock(), || world.grant()).await.unwrap()), "Bearer 2");
}
