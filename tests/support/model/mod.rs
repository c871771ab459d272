//! The engine held against a model: random stories of one list, its provider in every kind of trouble, the process killed
//! at any request, and the clock jumping. Each story is drawn from a seed, which names it; one that shows a defect is
//! made as small as it goes on showing it.

mod play;
mod script;
mod world;

pub use play::Story;
pub use script::{Change, How, Quirks, Script, Step};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many smaller stories are tried, once one shows a defect.
const MOST_SIMPLER: usize = 300;

/// What many stories came to.
#[derive(Debug, Default)]
pub struct Figures {
    pub stories: u64,
    pub reads: u64,
    pub failed_reads: u64,
    pub kills: u64,
    pub changes: u64,
    pub requests: u64,
    /// Requests of looks for news, and of walks over an organization.
    pub looks: u64,
    pub shared_walks: u64,
    /// What must not be, story by story.
    pub defects: Vec<String>,
    pub time: Duration,
}

/// Plays one story; `Err` says what must not be.
pub fn play(script: &Script) -> Result<Story, String> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?
            .block_on(play::play(script))
    }));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    })
}

/// Plays the stories of so many seeds, on every core, and stops at the first few defects.
pub fn soak(first_seed: u64, stories: u64) -> Figures {
    let started = Instant::now();
    let next = AtomicU64::new(first_seed);
    let figures = Mutex::new(Figures::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - first_seed >= stories || figures.lock().unwrap().defects.len() >= 3 {
                        return;
                    }
                    let played = play_seed(seed);
                    let mut figures = figures.lock().unwrap();
                    figures.stories += 1;
                    match played {
                        Ok(story) => figures.add(story),
                        Err(defect) => figures.defects.push(defect),
                    }
                }
            });
        }
    });
    let mut figures = figures.into_inner().unwrap();
    figures.time = started.elapsed();
    figures
}

/// Plays the story of a seed; `Err` tells the smallest story that shows the same.
pub fn play_seed(seed: u64) -> Result<Story, String> {
    let mut tree = script::scripts()
        .new_tree(&mut runner(seed))
        .expect("every story can be drawn");
    let mut defect = match play(&tree.current()) {
        Ok(story) => return Ok(story),
        Err(defect) => defect,
    };
    let mut smallest = tree.current();
    let mut goes_on = tree.simplify();
    for _ in 0..MOST_SIMPLER {
        if !goes_on {
            break;
        }
        goes_on = match play(&tree.current()) {
            Ok(_) => tree.complicate(),
            Err(shown) => {
                defect = shown;
                smallest = tree.current();
                tree.simplify()
            }
        };
    }
    Err(format!("seed {seed}: {defect}\n{smallest:#?}"))
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

impl Figures {
    fn add(&mut self, story: Story) {
        self.reads += story.reads;
        self.failed_reads += story.failed_reads;
        self.kills += story.kills;
        self.changes += story.changes;
        self.requests += story.requests;
        self.looks += story.looks;
        self.shared_walks += story.shared_walks;
    }
}
