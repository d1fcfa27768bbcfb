use super::*;
use proptest::prelude::*;

const ALIVE: fn(&u32) -> bool = |_| true;

fn tenant(number: u128) -> TenantId {
    TenantId::from_u128(number)
}

fn list() -> WaitingList<u32> {
    WaitingList::new(Bounds { total: 1_000, per_tenant: 500 })
}

fn fill(list: &mut WaitingList<u32>, of: u128, lane: Lane, entries: std::ops::Range<u32>) {
    for entry in entries {
        list.push(tenant(of), lane, entry).unwrap();
    }
}

#[test]
fn tenants_take_turns_however_much_each_has_waiting() {
    let mut list = list();
    fill(&mut list, 1, Lane::Bulk, 0..400);
    fill(&mut list, 2, Lane::Bulk, 1_000..1_003);
    let order: Vec<u32> = (0..8).filter_map(|_| list.pop(ALIVE)).collect();
    assert_eq!(order, [0, 1_000, 1, 1_001, 2, 1_002, 3, 4]);
}

#[test]
fn a_single_one_time_password_is_next_whatever_waits() {
    let mut list = list();
    fill(&mut list, 1, Lane::Bulk, 0..300);
    fill(&mut list, 1, Lane::Transactional, 300..400);
    for _ in 0..37 {
        list.pop(ALIVE);
    }
    fill(&mut list, 2, Lane::Otp, 999..1_000);
    assert_eq!(list.pop(ALIVE), Some(999));
}

#[test]
fn lanes_share_by_weight_and_bulk_is_not_starved() {
    let mut list = WaitingList::new(Bounds { total: 10_000, per_tenant: 10_000 });
    fill(&mut list, 1, Lane::Otp, 0..2_000);
    fill(&mut list, 1, Lane::Transactional, 2_000..4_000);
    fill(&mut list, 1, Lane::Bulk, 4_000..6_000);
    let mut served = [0; 3];
    for _ in 0..810 {
        served[(list.pop(ALIVE).unwrap() / 2_000) as usize] += 1;
    }
    assert_eq!(served, [640, 160, 10]);
}

#[test]
fn an_idle_lane_saves_nothing_up() {
    let mut list = list();
    fill(&mut list, 1, Lane::Otp, 0..200);
    for _ in 0..100 {
        list.pop(ALIVE);
    }
    fill(&mut list, 2, Lane::Bulk, 900..903);
    let first: Vec<u32> = (0..50).filter_map(|_| list.pop(ALIVE)).collect();
    assert!(first.iter().filter(|entry| **entry >= 900).count() <= 1, "bulk may not catch up: {first:?}");
}

#[test]
fn bounds_hold_for_the_list_and_for_each_tenant() {
    let mut list = WaitingList::new(Bounds { total: 5, per_tenant: 3 });
    fill(&mut list, 1, Lane::Otp, 0..3);
    assert_eq!(list.push(tenant(1), Lane::Bulk, 7), Err(7));
    fill(&mut list, 2, Lane::Bulk, 10..12);
    assert_eq!(list.push(tenant(3), Lane::Otp, 8), Err(8));
    assert_eq!(list.pop(ALIVE), Some(0));
    assert_eq!(list.push(tenant(1), Lane::Bulk, 7), Ok(()));
}

#[test]
fn answered_entries_are_skipped_within_their_tenants_turn() {
    let mut list = list();
    fill(&mut list, 1, Lane::Bulk, 0..10);
    fill(&mut list, 2, Lane::Bulk, 20..22);
    assert_eq!(list.pop(|entry| *entry >= 9), Some(9));
    assert_eq!((list.len(), list.pop(ALIVE)), (2, Some(20)));
}

#[test]
fn compaction_keeps_order_and_frees_shares() {
    let mut list = WaitingList::new(Bounds { total: 100, per_tenant: 10 });
    fill(&mut list, 1, Lane::Bulk, 0..10);
    fill(&mut list, 2, Lane::Otp, 50..52);
    list.retain(|entry| entry % 2 == 1);
    assert_eq!(list.len(), 6);
    assert_eq!(list.push(tenant(1), Lane::Bulk, 11), Ok(()));
    let order: Vec<u32> = std::iter::from_fn(|| list.pop(ALIVE)).collect();
    assert_eq!(order, [51, 1, 3, 5, 7, 9, 11]);
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_served_twice(
        pushes in prop::collection::vec((0u128..5, 0usize..3), 0..300), pops in 0usize..100,
    ) {
        let mut list = WaitingList::new(Bounds { total: 200, per_tenant: 80 });
        let (mut accepted, mut served) = (Vec::new(), Vec::new());
        for (entry, (of, lane)) in (0u32..).zip(&pushes) {
            if list.push(tenant(*of), Lane::ALL[*lane], entry).is_ok() {
                accepted.push(entry);
            }
            if entry.is_multiple_of(3) && served.len() < pops {
                served.extend(list.pop(ALIVE));
            }
            prop_assert_eq!(list.len(), accepted.len() - served.len());
        }
        served.extend(std::iter::from_fn(|| list.pop(ALIVE)));
        served.sort_unstable();
        prop_assert_eq!(served, accepted);
        prop_assert!(list.per_tenant.is_empty());
    }
}
