//! What was acknowledged survives `kill -9`, wherever it strikes.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::Command,
};

use hermes_domain::MessageId;
use hermes_ports::{CascadeStore, cascade_store::Revision, kill_point};
use hermes_testkit::{Story, envelope};

use crate::{child, open};

const CHILD: &str = "crash::child_that_writes_until_it_is_killed";

/// Prints `ack <id> <revision>` for everything the store acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the tests below"]
async fn child_that_writes_until_it_is_killed() {
    kill_point::arm_from_env();
    let backend = open(&child::directory()).await;
    let writers: Vec<_> = (0..16_u8)
        .map(|partition| {
            let backend = backend.clone();
            tokio::spawn(async move {
                // Far more than it can write before it is killed.
                for _ in 0..1_000_000 {
                    let story = Story::of(&envelope().partition(partition).build());
                    let first = backend.commit(story.create()).await.unwrap();
                    acknowledge(story.envelope().id, first);
                    let story = story.accepted_as("SM1");
                    let second = backend.commit(story.replace(first)).await.unwrap();
                    acknowledge(story.envelope().id, second);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

fn acknowledge(id: MessageId, revision: Revision) {
    let line = format!("ack {} {}\n", id.as_u128(), revision.0);
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// Reads acknowledgements until the child is gone; kills it after `kill_after` of them.
fn acknowledged(mut command: Command, kill_after: usize) -> HashMap<MessageId, u64> {
    let mut process = command.spawn().unwrap();
    let mut acknowledged = HashMap::new();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    for (count, line) in lines.map_while(Result::ok).filter(|line| line.starts_with("ack ")).enumerate() {
        let mut words = line.split(' ').skip(1);
        let (Some(id), Some(revision)) = (words.next(), words.next()) else { continue };
        let (Ok(id), Ok(revision)) = (id.parse(), revision.parse()) else { continue };
        acknowledged.insert(MessageId::from_u128(id), revision);
        if count == kill_after {
            process.kill().unwrap(); // SIGKILL
        }
    }
    assert!(!process.wait().unwrap().success());
    acknowledged
}

async fn assert_all_there(directory: &Path, acknowledged: &HashMap<MessageId, u64>) {
    let backend = open(directory).await;
    for (id, revision) in acknowledged {
        let stored = backend.load(*id).await.unwrap();
        let found = stored.unwrap_or_else(|| panic!("{id} was acknowledged and is gone")).revision.0;
        assert!(found >= *revision, "{id} was acknowledged at {revision} and is at {found}");
    }
    let page = backend.open_all(None, usize::MAX).await.unwrap();
    assert!(acknowledged.keys().all(|id| page.iter().any(|open| open.id == *id)));
    backend.close().await;
}

#[tokio::test]
async fn acknowledged_commits_survive_kill_9_in_mid_flight() {
    let directory = tempfile::tempdir().unwrap();
    for round in 1..=3 {
        let acknowledged = acknowledged(child::command(CHILD, directory.path()), 300 * round);
        assert!(acknowledged.len() >= 100, "only {} messages", acknowledged.len());
        assert_all_there(directory.path(), &acknowledged).await;
        // The next child mints the same ids again, so it gets a directory of its own.
        std::fs::remove_dir_all(directory.path()).unwrap();
    }
}

#[tokio::test]
async fn acknowledged_commits_survive_the_end_before_and_after_a_commit() {
    for point in ["commit.before", "commit.after"] {
        let directory = tempfile::tempdir().unwrap();
        let hits = directory.path().join("hits");
        let mut command = child::command(CHILD, directory.path());
        command.env("HERMES_KILL_POINT", format!("{point}:20:{}", hits.display()));
        let acknowledged = acknowledged(command, usize::MAX);
        assert_eq!(std::fs::read_to_string(&hits).unwrap(), format!("{point}\n"));
        assert!(!acknowledged.is_empty());
        assert_all_there(directory.path(), &acknowledged).await;
    }
}
