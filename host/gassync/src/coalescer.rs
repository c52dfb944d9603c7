//! Group commit: what arrives while a group is written shares the next transaction, because the commit dominates the cost.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    future::Future,
    hash::Hash,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Items that wait, and where the outcome of each goes.
type Group<T, R> = VecDeque<(T, oneshot::Sender<R>)>;

/// Items that wait to be written, by the key of their group. A group exists as long as a task writes for it.
pub struct Coalescer<K, T, R> {
    max: usize,
    groups: Mutex<HashMap<K, Group<T, R>>>,
}

impl<K, T, R> Coalescer<K, T, R>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Send + 'static,
    R: Send + 'static,
{
    /// Creates an empty coalescer that writes at most `max` items together.
    pub fn new(max: usize) -> Self {
        Self { max, groups: Mutex::default() }
    }

    /// Writes an item together with others of its group that wait; `None` if it was not written. `write` returns one
    /// outcome per item, in order.
    pub async fn push<W, F>(self: &Arc<Self>, key: K, item: T, write: W) -> Option<R>
    where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = Vec<Option<R>>> + Send + 'static,
    {
        let (done, outcome) = oneshot::channel();
        let is_first = {
            let mut groups = self.groups.lock();
            let group = groups.entry(key.clone());
            let is_first = matches!(group, Entry::Vacant(_));
            group.or_default().push_back((item, done));
            is_first
        };
        if is_first {
            // In a task of its own, so that a caller who leaves does not stop the others.
            let drain = Drain { coalescer: Arc::clone(self), key };
            tokio::spawn(drain.run(write));
        }
        outcome.await.ok()
    }
}

/// The task that writes a group until it is empty.
struct Drain<K: Eq + Hash, T, R> {
    coalescer: Arc<Coalescer<K, T, R>>,
    key: K,
}

impl<K: Eq + Hash, T, R> Drain<K, T, R> {
    async fn run<F: Future<Output = Vec<Option<R>>>>(self, write: impl Fn(Vec<T>) -> F) {
        while let Some((items, done)) = self.next() {
            for (done, outcome) in done.into_iter().zip(write(items).await) {
                // The caller may have left.
                let _gone = outcome.map(|outcome| done.send(outcome));
            }
        }
    }

    /// The next items; removes the group if there are none.
    fn next(&self) -> Option<(Vec<T>, Vec<oneshot::Sender<R>>)> {
        let mut groups = self.coalescer.groups.lock();
        let group = groups.get_mut(&self.key)?;
        if group.is_empty() {
            groups.remove(&self.key);
            return None;
        }
        let count = group.len().min(self.coalescer.max);
        Some(group.drain(..count).unzip())
    }
}

impl<K: Eq + Hash, T, R> Drop for Drain<K, T, R> {
    /// After a panic nobody may wait for a task that is gone.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.coalescer.groups.lock().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    /// Writes numbers: each becomes its group's size; an even one fails, and 13 panics. Every write takes a permit.
    struct Numbers {
        coalescer: Arc<Coalescer<&'static str, u32, usize>>,
        permits: Arc<Semaphore>,
    }

    impl Numbers {
        fn new(permits: usize) -> Self {
            Self { coalescer: Arc::new(Coalescer::new(3)), permits: Arc::new(Semaphore::new(permits)) }
        }

        fn push(&self, number: u32) -> tokio::task::JoinHandle<Option<usize>> {
            let (coalescer, permits) = (Arc::clone(&self.coalescer), Arc::clone(&self.permits));
            let write = move |numbers: Vec<u32>| {
                let permits = Arc::clone(&permits);
                async move {
                    permits.acquire().await.expect("it stays open").forget();
                    assert!(!numbers.contains(&13), "thirteen");
                    numbers.iter().map(|number| (number % 2 == 1).then_some(numbers.len())).collect()
                }
            };
            tokio::spawn(async move { coalescer.push("odd", number, write).await })
        }
    }

    async fn outcomes(pushed: Vec<tokio::task::JoinHandle<Option<usize>>>) -> Vec<Option<usize>> {
        let mut outcomes = Vec::new();
        for pushed in pushed {
            outcomes.push(pushed.await.expect("no panic reaches a caller"));
        }
        outcomes
    }

    /// Pushes the numbers in this order; the first is being written when the others come.
    async fn pushed(numbers: &Numbers, all: &[u32]) -> Vec<Option<usize>> {
        let mut pushed = Vec::new();
        for number in all {
            pushed.push(numbers.push(*number));
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        numbers.permits.add_permits(all.len());
        outcomes(pushed).await
    }

    #[tokio::test]
    async fn what_arrives_during_a_write_shares_the_next() {
        let numbers = Numbers::new(0);
        let outcomes = pushed(&numbers, &[1, 3, 5, 7, 9]).await;
        assert_eq!(outcomes, [Some(1), Some(3), Some(3), Some(3), Some(1)], "three at most");
        assert!(numbers.coalescer.groups.lock().is_empty());
    }

    #[tokio::test]
    async fn a_write_that_fails_is_reported_and_the_next_goes_on() {
        let numbers = Numbers::new(0);
        assert_eq!(pushed(&numbers, &[2, 4, 5]).await, [None, None, Some(2)]);
        assert_eq!(pushed(&numbers, &[7]).await, [Some(1)]);
    }

    #[tokio::test]
    async fn after_a_panic_nobody_waits_and_the_next_is_written() {
        let numbers = Numbers::new(0);
        assert_eq!(pushed(&numbers, &[13, 1, 3]).await, [None, None, None]);
        assert!(numbers.coalescer.groups.lock().is_empty());
        assert_eq!(pushed(&numbers, &[5]).await, [Some(1)]);
    }
}
