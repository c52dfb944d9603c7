use std::collections::HashMap;

/// Pools by owner, with least-recently-used eviction.
pub(super) struct Pools<T> {
    most: usize,
    of: HashMap<String, (u64, T)>,
    asked: u64,
}

impl<T: Clone> Pools<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, of: HashMap::new(), asked: 0 }
    }

    /// Returns the pool of an owner, and creates it if missing.
    pub(super) fn of<E>(&mut self, owner: &str, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.asked += 1;
        if let Some((asked, pool)) = self.of.get_mut(owner) {
            *asked = self.asked;
            return Ok(pool.clone());
        }
        let pool = make()?;
        if self.of.len() >= self.most {
            let oldest = self.of.iter().min_by_key(|(_, (asked, _))| *asked).map(|(owner, _)| owner.clone());
            oldest.and_then(|owner| self.of.remove(&owner));
        }
        self.of.insert(owner.to_owned(), (self.asked, pool.clone()));
        Ok(pool)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn least_recently_used_pool_is_evicted() {
        let made = Cell::new(0);
        let mut pools = Pools::new(2);
        let mut of = |owner: &str| {
            let make = || {
                made.set(made.get() + 1);
                Ok::<i32, ()>(made.get())
            };
            pools.of(owner, make).expect("made")
        };
        assert_eq!([of("a"), of("b"), of("a"), of("c")], [1, 2, 1, 3]);
        assert_eq!([of("a"), of("c"), of("b")], [1, 3, 4], "it was b that went");
        assert_eq!([of("c"), of("b"), of("a")], [3, 4, 5], "and then a");
        assert_eq!(pools.of("d", || Err("no")), Err("no"));
        assert_eq!(pools.of("b", || Err("gone")), Ok(4), "what cannot be made drives nobody out");
    }
}
