//! Promises of `put`.

use std::sync::Arc;
use std::thread;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, Interrupt, Quiet};

use super::bench::{Bench, Source, Verdict, Why, ensure, ensure_fault, sample};

const MIB: usize = 1024 * 1024;
const AT_ONCE: u64 = 8;

pub(super) fn read_back(bench: &Bench) -> Verdict {
    for (size, step) in [
        (0, 1),
        (1, 1),
        (65_535, 7),
        (MIB + 1, 4096),
        (5 * MIB, usize::MAX),
        (64 * MIB, usize::MAX),
    ] {
        let (key, bytes) = (bench.key(&format!("size-{size}"))?, sample(size, 1));
        let mut source = Source::whole(&bytes).in_steps(step);
        let info = bench.sink.put(&key, &mut source, &bench.cx)?;
        ensure(info.key == key && info.size_bytes == size as u64, || {
            format!("put says {info:?}")
        })?;
        bench.ensure_object(&key, &bytes)?;
    }
    Ok(())
}

pub(super) fn taken_key(bench: &Bench) -> Verdict {
    let (key, first) = (bench.key("taken")?, sample(1000, 1));
    bench.put(&key, &first)?;
    for second in [sample(1000, 2), first.clone(), Vec::new()] {
        ensure_fault(bench.put(&key, &second), FaultKind::Exists, "put")?;
        bench.ensure_object(&key, &first)?;
    }
    Ok(())
}

pub(super) fn broken_source(bench: &Bench) -> Verdict {
    let (key, bytes) = (bench.key("broken")?, sample(MIB + 1, 1));
    for at in [0, 1, MIB / 2, MIB] {
        let mut source = Source::whole(&bytes).breaking_at(at as u64);
        let put = bench.sink.put(&key, &mut source, &bench.cx);
        ensure(put.is_err(), || {
            format!("a source broken at {at} was stored")
        })?;
        bench.ensure_absent(&key)?;
    }
    bench.put(&key, &bytes)?;
    bench.ensure_object(&key, &bytes)
}

pub(super) fn wrong_length(bench: &Bench) -> Verdict {
    let (key, bytes) = (bench.key("length")?, sample(MIB, 1));
    for promised in [0, 1, MIB - 1, MIB + 1, 2 * MIB] {
        let mut source = Source::whole(&bytes).promising(promised as u64);
        let put = bench.sink.put(&key, &mut source, &bench.cx);
        ensure_fault(
            put,
            FaultKind::Corrupt,
            &format!("{promised} bytes promised"),
        )?;
        bench.ensure_absent(&key)?;
    }
    Ok(())
}

pub(super) fn cancelled(bench: &Bench) -> Verdict {
    let (key, bytes) = (bench.key("cancelled")?, sample(MIB, 1));
    let interrupt = Interrupt::default();
    let cx = Context::new(interrupt.clone(), Arc::new(Quiet));
    let mut source = Source::whole(&bytes).in_steps(4096).interrupting(interrupt);
    ensure_fault(
        bench.sink.put(&key, &mut source, &cx),
        FaultKind::Cancelled,
        "put",
    )?;
    bench.ensure_absent(&key)
}

pub(super) fn many_at_once(bench: &Bench) -> Verdict {
    let puts = at_once(|seed| {
        let (key, bytes) = (bench.key(&format!("many/{seed}"))?, sample(MIB / 2, seed));
        bench.put(&key, &bytes)?;
        bench.ensure_object(&key, &bytes)
    });
    puts.into_iter().collect()
}

pub(super) fn race_for_a_key(bench: &Bench) -> Verdict {
    let key = bench.key("race")?;
    let puts = at_once(|seed| bench.put(&key, &sample(MIB / 2, seed)));
    let mut winners = Vec::new();
    for (seed, put) in (0..).zip(puts) {
        match put {
            Ok(_) => winners.push(seed),
            lost => ensure_fault(lost, FaultKind::Exists, "a lost race")?,
        }
    }
    let [winner] = winners[..] else {
        return Err(Why(format!("{} puts won", winners.len())));
    };
    bench.ensure_object(&key, &sample(MIB / 2, winner))
}

fn at_once<T: Send>(work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..AT_ONCE)
            .map(|seed| scope.spawn(move || work(seed)))
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    })
}

pub(super) fn odd_keys(bench: &Bench) -> Verdict {
    let long = format!("{0}/{0}", "k".repeat(200));
    let names = [
        "A.b_c-1",
        "a..b",
        "-dash",
        "_",
        "0",
        "d/e/f/g/h",
        "name.backup.part",
        &long,
    ];
    for (seed, name) in (1..).zip(names) {
        let (key, bytes) = (bench.key(name)?, sample(100, seed));
        bench.put(&key, &bytes)?;
        bench.ensure_object(&key, &bytes)?;
        ensure_listed(bench, &key)?;
    }
    Ok(())
}

fn ensure_listed(bench: &Bench, key: &ObjectKey) -> Verdict {
    let listed = bench.sink.list(key.as_str(), &bench.cx)?;
    ensure(listed.iter().any(|object| &object.key == key), || {
        format!("{key} is not listed")
    })
}

pub(super) fn sweep(bench: &Bench) -> Verdict {
    let (key, bytes) = (bench.key("swept")?, sample(1000, 1));
    bench.put(&key, &bytes)?;
    let swept: Result<u64, Fault> = bench.sink.sweep(&bench.cx);
    swept?;
    bench.ensure_object(&key, &bytes)
}
