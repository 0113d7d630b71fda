//! Bounded, repeatable fuzzing of the decoders: entries of `corpus/<decoder>/` (hex; `#` begins a remark), each as it is, cut
//! at every length, and changed at random. What fails is printed with the seed that makes it again:
//! `DORMWATT_FUZZ_SEED=7 DORMWATT_FUZZ_ROUNDS=1000000 cargo test fuzz`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use domain::rng::Rng;

/// Enough for a second or two without optimisation.
const ROUNDS: u64 = 10_000;
/// Bytes that mean something somewhere: starts, ends, wakes, offsets, error bits, limits.
const LOUD: [u8; 14] = [0x00, 0x01, 0x03, 0x10, 0x16, 0x33, 0x40, 0x68, 0x7f, 0x80, 0x83, 0x91, 0xfe, 0xff];

/// Runs `check` on the decoder's corpus and on changed entries; `repair` puts the checksum right again in half of them, so that
/// what lies behind it is reached too.
pub fn run(decoder: &str, repair: impl Fn(&mut [u8]), check: impl Fn(&[u8])) {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seed, rounds) = (number("DORMWATT_FUZZ_SEED", 1), number("DORMWATT_FUZZ_ROUNDS", ROUNDS));
    let corpus = corpus(decoder);
    for entry in &corpus {
        (0..=entry.len()).for_each(|end| tried(decoder, seed, &entry[..end], &check));
    }
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = Rng::from_seed(bytes);
    for _ in 0..rounds {
        let mut input = pick(&rng, &corpus).clone();
        for _ in 0..=rng.below(4) {
            change(&rng, &mut input, &corpus);
        }
        if rng.below(2) == 0 {
            repair(&mut input);
        }
        tried(decoder, seed, &input, &check);
    }
}

fn tried(decoder: &str, seed: u64, input: &[u8], check: &impl Fn(&[u8])) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
        eprintln!("fuzz: {decoder} fails on {} (DORMWATT_FUZZ_SEED={seed})", hex::encode(input));
        resume_unwind(panic);
    }
}

fn corpus(decoder: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(decoder);
    let mut paths: Vec<_> = directory.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let entry = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let digits: String = text.lines().filter_map(|line| line.split('#').next()).flat_map(str::split_whitespace).collect();
        hex::decode(&digits).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let all: Vec<_> = paths.iter().map(entry).collect();
    assert!(!all.is_empty(), "no corpus in {}", directory.display());
    all
}

fn pick<'a, T>(rng: &Rng, all: &'a [T]) -> &'a T {
    &all[rng.below(all.len() as u64) as usize]
}

fn change(rng: &Rng, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = rng.below(input.len() as u64 + 1) as usize;
    let here = at.min(input.len().saturating_sub(1));
    match rng.below(8) {
        0 => input.truncate(at),
        1 => input.insert(at, *pick(rng, &LOUD)),
        2 => input.extend(pick(rng, corpus)),
        3 => drop(input.splice(at.., pick(rng, corpus).iter().copied().skip(at))),
        _ if input.is_empty() => input.push(rng.next_u64() as u8),
        4 => input[here] ^= 1 << rng.below(8),
        5 => input[here] = *pick(rng, &LOUD),
        6 => input[here] = rng.next_u64() as u8,
        _ => drop(input.remove(here)),
    }
}

#[test]
#[should_panic = "found"]
fn what_fails_is_found() {
    run("rtu_read", |_| (), |input| assert!(input.len() < 20, "found"));
}
