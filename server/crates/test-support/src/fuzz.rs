//! Fuzzing of the decoders with bolero, bounded in `cargo test`.
//!
//! Each entry of `corpus/<decoder>/` (hexadecimal; `#` starts a comment) is checked whole and truncated at every length. Then
//! bolero generates mutations of the entries, and shrinks those that fail. `BOLERO_RANDOM_SEED=<printed seed>` repeats a failure,
//! `BOLERO_RANDOM_ITERATIONS=1000000` runs longer, and `cargo bolero test -p <crate> <test>` guides the mutations by coverage.

use std::fmt::{self, Debug, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use bolero::generator::produce;
use bolero::{DefaultEngine, TargetLocation, TestTarget};

/// Takes a second or two without optimisation.
const ITERATIONS: usize = 10_000;
/// Bytes with a meaning in one of the formats: starts, ends, wake-up bytes, offsets, error bits and limits.
const SIGNIFICANT: [u8; 14] = [0x00, 0x01, 0x03, 0x10, 0x16, 0x33, 0x40, 0x68, 0x7f, 0x80, 0x83, 0x91, 0xfe, 0xff];

/// Operation, position and operand; each is reduced to its valid range.
type Mutation = (u8, u16, u16);

/// Runs `check` on the decoder's corpus and on mutated entries. `repair` corrects the checksum of half of them, so that the code
/// behind the checksum is reached as well.
pub fn run(decoder: &str, repair: impl Fn(&mut [u8]), check: impl Fn(&[u8])) {
    let location = location();
    if !location.should_run() {
        return;
    }
    let corpus = corpus(decoder);
    let check = AssertUnwindSafe(check);
    for entry in &corpus {
        (0..=entry.len()).for_each(|end| report(decoder, &entry[..end], &*check));
    }
    TestTarget::new(DefaultEngine::new(location))
        .with_iterations(ITERATIONS)
        .with_generator((produce::<u16>(), produce::<Vec<Mutation>>().with().len(1_usize..=4), produce::<bool>()))
        .map(|(entry, mutations, repaired)| {
            let mut input = pick(&corpus, entry).clone();
            mutations.into_iter().for_each(|mutation| mutate(&mut input, &corpus, mutation));
            if repaired {
                repair(&mut input);
            }
            Input(input)
        })
        .for_each(move |input| (*check)(&input.0));
}

/// Printed in hexadecimal when it fails.
struct Input(Vec<u8>);

impl Debug for Input {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// The running test, by the name under which `cargo bolero` selects it.
fn location() -> TargetLocation {
    let thread = std::thread::current();
    let name = thread.name().filter(|name| *name != "main").map(str::to_owned);
    let name = name.or_else(|| std::env::args().nth(1)).unwrap_or_default();
    TargetLocation {
        package_name: env!("CARGO_PKG_NAME"),
        manifest_dir: env!("CARGO_MANIFEST_DIR"),
        module_path: module_path!(),
        file: file!(),
        line: line!(),
        item_path: format!("test::{name}::__bolero_item_path__").leak(),
        test_name: None,
    }
}

fn report(decoder: &str, input: &[u8], check: &impl Fn(&[u8])) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
        eprintln!("fuzz: {decoder} fails on {}", hex::encode(input));
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

fn pick<T>(all: &[T], index: u16) -> &T {
    &all[usize::from(index) % all.len()]
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], (operation, position, operand): Mutation) {
    let end = usize::from(position) % (input.len() + 1);
    let index = end.min(input.len().saturating_sub(1));
    match operation % 8 {
        0 => input.truncate(end),
        1 => input.insert(end, *pick(&SIGNIFICANT, operand)),
        2 => input.extend(pick(corpus, operand)),
        3 => drop(input.splice(end.., pick(corpus, operand).iter().copied().skip(end))),
        _ if input.is_empty() => input.push(operand as u8),
        4 => input[index] ^= 1 << (operand % 8),
        5 => input[index] = *pick(&SIGNIFICANT, operand),
        6 => input[index] = operand as u8,
        _ => drop(input.remove(index)),
    }
}

#[test]
#[should_panic = "found"]
fn failing_mutations_are_found() {
    run("rtu_read", |_| (), |input| assert!(input.len() < 20, "found"));
}

#[test]
#[should_panic = "test failed"]
fn mutations_are_checked() {
    run("rtu_read", |_| (), |input| assert!(input.len() < 64));
}
