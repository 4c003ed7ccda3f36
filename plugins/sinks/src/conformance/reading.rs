//! Promises of `get`, `head`, `list` and `delete`.

use std::io::{self, Write};

use respaldo_engine::ports::FaultKind;

use super::bench::{Bench, Verdict, ensure, ensure_fault, sample};

pub(super) fn ranges(bench: &Bench) -> Verdict {
    let (key, bytes) = (bench.key("ranges")?, sample(300_000, 1));
    bench.put(&key, &bytes)?;
    let end = bytes.len() as u64;
    for range in [
        0..end,
        0..1,
        1..2,
        4095..4097,
        end - 1..end,
        70_000..250_000,
        0..0,
        end..end,
    ] {
        let expected = &bytes[range.start as usize..range.end as usize];
        let same = bench.get(&key, Some(range.clone()))? == expected;
        ensure(same, || format!("bytes {range:?} are others"))?;
    }
    for range in [0..end + 1, end..end + 1, end + 5..end + 6] {
        let what = format!("bytes {range:?} of {end}");
        ensure_fault(bench.get(&key, Some(range)), FaultKind::Corrupt, &what)?;
    }
    Ok(())
}

pub(super) fn not_found(bench: &Bench) -> Verdict {
    bench.put(&bench.key("there/x")?, b"x")?;
    for name in ["there/y", "there", "not/there", "there/x/y"] {
        let key = bench.key(name)?;
        ensure_fault(bench.sink.head(&key, &bench.cx), FaultKind::NotFound, name).or_else(
            |why| {
                // Where keys are paths, a file cannot be a folder: refusing is as good.
                ensure_fault(bench.sink.head(&key, &bench.cx), FaultKind::Denied, name)
                    .map_err(|_| why)
            },
        )?;
        let mut written = Vec::new();
        let got = bench.sink.get(&key, Some(0..1), &mut written, &bench.cx);
        ensure(got.is_err() && written.is_empty(), || {
            format!("{name} gives bytes")
        })?;
    }
    Ok(())
}

/// Takes so many bytes and no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn full_destination(bench: &Bench) -> Verdict {
    let (key, bytes) = (bench.key("full")?, sample(600_000, 1));
    bench.put(&key, &bytes)?;
    for room in [0, 1, 300_000, bytes.len() - 1] {
        let got = bench.sink.get(&key, None, &mut Full(room), &bench.cx);
        ensure_fault(got, FaultKind::Full, &format!("room for {room} bytes"))?;
    }
    bench.ensure_object(&key, &bytes)
}

pub(super) fn list(bench: &Bench) -> Verdict {
    let names = ["a", "a-b/x", "a.b", "a0", "b/a/c", "b/b", "b/bb/c", "b0"];
    for name in names.iter().rev() {
        bench.put(&bench.key(name)?, name.as_bytes())?;
    }
    for prefix in [
        "", "a", "a-", "a-b/", "b", "b/", "b/b", "b/bb/c", "b/bb/c/", "zz",
    ] {
        let whole = format!("{}{prefix}", bench.prefix);
        let listed = bench.sink.list(&whole, &bench.cx)?;
        let listed: Vec<_> = listed
            .iter()
            .map(|object| (object.key.as_str(), object.size_bytes))
            .collect();
        let mut expected: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with(prefix))
            .collect();
        expected.sort();
        let same = listed.len() == expected.len()
            && listed
                .iter()
                .zip(&expected)
                .all(|((key, size_bytes), name)| {
                    key.strip_prefix(&bench.prefix) == Some(**name)
                        && *size_bytes == name.len() as u64
                });
        ensure(same, || {
            format!("{prefix:?} lists {listed:?} instead of {expected:?}")
        })?;
    }
    Ok(())
}

pub(super) fn delete(bench: &Bench) -> Verdict {
    let (gone, kept) = (bench.key("d/gone")?, bench.key("d/gone.not")?);
    bench.put(&gone, b"gone")?;
    bench.put(&kept, b"kept")?;
    for _ in 0..2 {
        bench.sink.delete(&gone, &bench.cx)?;
        bench.ensure_object(&kept, b"kept")?;
        ensure_fault(
            bench.sink.head(&gone, &bench.cx),
            FaultKind::NotFound,
            "head",
        )?;
    }
    bench.sink.delete(&bench.key("never/was")?, &bench.cx)?;
    bench.put(&gone, b"again")?;
    bench.ensure_object(&gone, b"again")
}
