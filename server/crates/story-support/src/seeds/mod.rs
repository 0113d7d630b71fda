//! The simulation of one seed. The product's own code decides what a verified payment means (`domain::payment`), the steps of
//! orders and refunds and what is refundable (`domain::{order, refund}`), the postings (`domain::ledger`), each activation of a
//! money command (`meters::delivery::next_action` over `domain::money_rule`), the sealed frames, the register profile and its
//! decoding, and the simulated meter with its mailbox and wallet. The store (`books`), the channel and the line are models.

mod actions;
mod books;
mod channel;
mod invariants;
mod line;
mod outcome;

use domain::rng::Rng;
use model::money::Fen;
use model::time::Timestamp;

use books::Books;
use channel::{Channel, Message};
use line::Line;
pub use outcome::{Flaw, Tally, Violation};

/// The time of all meters; nothing here depends on it.
const START: Timestamp = Timestamp(1_795_600_000_000);
/// Random actions of one seed.
const STEPS: u32 = 60;
/// Steps until an attempt expires, by our clock.
const LIFETIME: u32 = 20;
/// Steps after expiry at which a trade unknown to the channel is dead.
const DEAD: u32 = 4;
/// Rounds without faults, in which everything must end.
const ROUNDS: u32 = 60;
/// The most that the meter may hold.
const LIMIT: Fen = Fen(30_000);

/// Why an action was cut short.
enum Stop {
    /// The process crashed and lost its memory.
    Crash,
    Violation(Violation),
}

impl From<Violation> for Stop {
    fn from(broken: Violation) -> Self {
        Self::Violation(broken)
    }
}

type Step<T = ()> = Result<T, Stop>;

struct Simulation {
    rng: Rng,
    now: u32,
    channel: Channel,
    /// Messages of the channel that have not arrived.
    messages: Vec<Message>,
    line: Line,
    books: Books,
    /// No faults any more.
    calm: bool,
    verbose: bool,
    tally: Tally,
    /// Another action runs between two writes of one.
    nested: bool,
}

/// Runs one seed to its end. `verbose` prints each step.
///
/// # Errors
/// The violated invariant.
pub fn run(seed: u64, flaw: Flaw, verbose: bool) -> Result<Tally, Violation> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = Rng::from_seed(bytes);
    let mut simulation = Simulation {
        line: Line::new(&rng),
        rng,
        now: 0,
        channel: Channel::default(),
        messages: Vec::new(),
        books: Books { flaw, ..Books::default() },
        calm: false,
        verbose,
        tally: Tally::default(),
        nested: false,
    };
    for _ in 0..STEPS {
        simulation.now += 1;
        let what = simulation.rng.below(16);
        simulation.act(what)?;
    }
    simulation.calm = true;
    for _ in 0..ROUNDS {
        simulation.now += 2;
        for what in [3, 4, 5, 6, 7, 9] {
            simulation.act(what)?;
        }
    }
    simulation.check_end()?;
    Ok(simulation.tally)
}

impl Simulation {
    fn one_in(&self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    /// Whether a fault with a probability of 1/n happens.
    fn bad(&self, n: u64) -> bool {
        !self.calm && self.one_in(n)
    }

    fn log(&self, what: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:3} {}", self.now, what());
        }
    }

    fn any<T: Clone>(&self, of: &[T]) -> Option<T> {
        of.get(self.rng.below(of.len() as u64) as usize).cloned()
    }

    fn act(&mut self, what: u64) -> Result<(), Violation> {
        let done = match what {
            0 => self.order(),
            1 => self.another_attempt(),
            2 | 10 => self.pay(),
            3 | 11 => self.receive(),
            4 | 12 => self.query(),
            5 | 13 | 14 => self.deliver(),
            6 | 15 => self.refunds(),
            7 => self.try_again(),
            8 => self.give_back(),
            _ => {
                self.line.old_frame(&self.rng);
                self.line.meter.consume(self.rng.below(400) as u32);
                Ok(())
            }
        };
        match done {
            Err(Stop::Violation(broken)) => return Err(broken),
            Err(Stop::Crash) => {
                self.tally.crashes += 1;
                self.log(|| "the process dies".into());
            }
            Ok(()) => {}
        }
        self.nested = false;
        self.check_meter()
    }

    /// A transaction: all or nothing, and the process may crash before and after it.
    fn commit<T>(&mut self, change: impl FnOnce(&mut Books) -> Result<T, Violation>) -> Step<T> {
        if !self.nested && self.bad(6) {
            // Another action comes between.
            self.nested = true;
            let what = [3, 8, 8, 4][self.rng.below(4) as usize];
            let done = match what {
                3 => self.receive(),
                4 => self.query(),
                _ => self.give_back(),
            };
            self.nested = false;
            done?;
        }
        if self.bad(14) {
            return Err(Stop::Crash);
        }
        let mut next = self.books.clone();
        let given = change(&mut next)?;
        next.check()?;
        self.books = next;
        if self.bad(14) { Err(Stop::Crash) } else { Ok(given) }
    }
}
