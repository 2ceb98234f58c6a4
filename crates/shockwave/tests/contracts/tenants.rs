//! Tenants that fill buffers of random sizes with patterns of their own, checked at every return.

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

use crate::identities;
use crate::random::Random;

both_cells! {
    no_tenant_ever_sees_anothers_bytes,
}

/// What a tenant writes at a place: its canary and the place, so that bytes which moved show too.
fn pattern(tenant: usize, seed: usize, place: usize) -> u8 {
    ((tenant << 5) ^ seed.wrapping_mul(31) ^ place ^ (place >> 8)).to_le_bytes()[0]
}

struct Held {
    buffer: Buffer,
    seed: usize,
}

impl Held {
    fn check(&self, tenant: usize) {
        let wrong =
            self.buffer.iter().enumerate().position(|(i, &b)| b != pattern(tenant, self.seed, i));
        assert_eq!(wrong, None, "tenant {tenant} in a buffer of {}", self.buffer.len());
    }

    fn write(&mut self, tenant: usize, bytes: usize) {
        let (seed, from) = (self.seed, self.buffer.len());
        self.buffer.extend((from..from + bytes).map(|place| pattern(tenant, seed, place)));
    }
}

fn tenancy(pool: &BufferPool, tenant: usize) {
    let mut random = Random::new(tenant as u64);
    let mut held: Vec<Held> = Vec::new();
    for _ in 0..1500 {
        match random.below(4) {
            0 | 1 => {
                let buffer = pool.get(1 << random.below(17));
                assert!(buffer.is_empty(), "a fresh buffer shows nothing");
                let mut fresh = Held { buffer, seed: random.below(1 << 16) };
                fresh.write(tenant, random.below(3000));
                held.push(fresh);
            }
            2 if !held.is_empty() => {
                let any = random.below(held.len());
                held[any].check(tenant);
                if random.below(3) == 0 {
                    let shorter = random.below(held[any].buffer.len() + 1);
                    held[any].buffer.truncate(shorter);
                }
                held[any].write(tenant, random.below(2000)); // grows now and then
            }
            _ if held.len() > 20 || random.below(2) == 0 && !held.is_empty() => {
                let gone = held.swap_remove(random.below(held.len()));
                gone.check(tenant);
                if gone.seed.is_multiple_of(2) {
                    pool.put(gone.buffer);
                } else {
                    pool.put_with_reset(gone.buffer);
                }
            }
            _ => held.iter().for_each(|held| held.check(tenant)),
        }
    }
    for held in &held {
        held.check(tenant);
    }
}

fn no_tenant_ever_sees_anothers_bytes(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    std::thread::scope(|scope| {
        for tenant in 0..4 {
            let pool = &pool;
            scope.spawn(move || tenancy(pool, tenant));
        }
    });
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.in_use_bytes, 0);
}
