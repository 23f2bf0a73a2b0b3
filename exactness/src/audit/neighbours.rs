//! Can the releases of two neighbouring datasets be told apart better than their loss allows? A tester that sees releases alone.
//!
//! A dataset, and the same without one person who uses every bound to the full, are asked the same question many times over, each
//! time as a request of its own: statement, analysis, fold over encrypted rows, charge, gate. (ε differs by 10⁻⁹ from one time to the
//! next, so that no stored answer is given back.) Each release is boiled down to its likelihood ratio between the two datasets. An
//! event (a ratio from some value on, or below it; or the very number that came first) is chosen by an eighth of the releases; of the others, Clopper and Pearson's bounds on its
//! probability p with the person and q without give, since p ≤ e^ε·q + δ for every event under (ε, δ),
//!
//! ε̂ = ln((lower(p) − δ) / upper(q)),
//!
//! which is above the ε of a mechanism that keeps its promise with probability at most [`FALSE_ALARM`].

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::{Context as _, Result, anyhow, bail};
use glovebox_catalog::{Catalog, Manifest};
use glovebox_policy::{ColumnUse, Digest, NanoEpsilon};
use glovebox_privacy::{Exact, KeyPart, MechanismKind, NoisyCells};
use glovebox_query::{Analysis, Defaults, Draft, Options, Parallelism, SelectionKey};
use glovebox_vault::{Expose as _, Protected};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::audit::binomial::{lower_bound, upper_bound};
use crate::audit::bureau::Bureau;

/// How often ε̂ of one question is above the ε that holds.
pub const FALSE_ALARM: f64 = 1e-5;

/// An eighth of the releases chooses the event.
const CHOOSE: usize = 8;

/// The error with which it is chosen: what is chosen badly is only weak.
const CHOOSE_ALPHA: f64 = 0.1;

/// Releases on each side with which a [`Mistake`] is most likely seen in the first question.
pub const MISTAKE_RELEASES: usize = 2_800;

/// How often a mistake is looked for before it counts as not seen. An event that is chosen badly is weak: with half as many
/// releases one look in six missed a bound that was one too small, and a look that misses says nothing of the next.
const LOOKS: usize = 4;

/// The key that nobody but the person who leaves has.
const OWN: &str = "own";

/// A question with its declared loss.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// What people call it.
    pub name: &'static str,
    /// The statement: `{t}` for the dataset, `{e}` for ε, `{b}` for the bound.
    sql: &'static str,
    /// The declared ε.
    pub epsilon: f64,
    /// The δ at which ε̂ is taken. For Gaussian noise not the declared δ, where events are too rare to be counted: what is declared
    /// there is then the ε of the charged ρ at this δ.
    pub delta: f64,
    /// The bound.
    bound: u32,
    /// Whether the worst event is frequent enough for the estimate to come near the declared ε.
    pub comes_near: bool,
}

/// All questions. In each, the person who leaves moves cells by all that the bounds allow.
pub const QUESTIONS: &[Question] = &[
    Question {
        name: "laplace, one count",
        sql: "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = {e}, delta = 0) COUNT(*, contribution_bounds_per_group => (0, {b})) FROM {t}",
        epsilon: 1.0,
        delta: 0.0,
        bound: 2,
        comes_near: true,
    },
    Question {
        name: "laplace, sums by group",
        sql: "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = {e}, delta = 0, max_groups_contributed = 2) \
              k, SUM(x, contribution_bounds_per_group => (0, {b})) FROM {t} GROUP BY k",
        epsilon: 2.0,
        delta: 0.0,
        bound: 100,
        comes_near: true,
    },
    Question {
        name: "gaussian, count and sum by group",
        sql: "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = {e}, delta = 1e-3, max_groups_contributed = 2) \
              k, COUNT(*, contribution_bounds_per_group => (0, 2)), SUM(x, contribution_bounds_per_group => (0, {b})) FROM {t} GROUP BY k",
        epsilon: 3.0,
        delta: 0.1,
        bound: 100,
        comes_near: false,
    },
    Question {
        name: "laplace, a key of one person",
        sql: "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = {e}, delta = 1e-4, mechanism = 'laplace', max_groups_contributed = 1) \
              note, COUNT(*, contribution_bounds_per_group => (0, {b})) FROM {t} GROUP BY note",
        epsilon: 2.0,
        delta: 1e-4,
        bound: 2,
        comes_near: false,
    },
];

/// A mistake on the road, planted in the harness: exact cells are released under another plan than theirs, or a release twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The plan of twice the ε.
    HalfScale,
    /// The plan of a bound that is one too small.
    OffByOne,
    /// The noise of the first release again in all others, on both sides.
    ReusedSeed,
}

/// What the releases of one question gave.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// The declared ε at [`Question::delta`].
    pub declared: f64,
    /// ε̂: no right mechanism of this ε or a smaller one gives it, but for [`FALSE_ALARM`].
    pub lower: f64,
    /// What the same event gives without confidence bounds: how near the worst case comes.
    pub estimate: f64,
}

const MANIFEST: &str = r#"
[dataset]
kind = "table"
title_en = "Made up"
title_zh = "虚构"
id_space = "person"
budget_domain = "resident"
unit = ["person"]
max_units = 20
max_rows_per_unit = 4
source = "made up"
licence = "public domain"
classification = "test"

[[columns]]
name = "person"
type = "int"
meaning_en = "m"
meaning_zh = "义"

[[columns]]
name = "x"
type = "int"
meaning_en = "m"
meaning_zh = "义"
bounds = { lower = 0, upper = 50, basis = "test" }

[[columns]]
name = "k"
type = "text"
meaning_en = "m"
meaning_zh = "义"
keys = { values = ["a", "b"], basis = "test" }

[[columns]]
name = "note"
type = "text"
meaning_en = "m"
meaning_zh = "义"
keys = { threshold = true, basis = "test" }
"#;

const HEADER: &str = "person,x,k,note\n";
const OTHERS: &str = "1,10,a,p\n1,20,b,q\n2,50,a,p\n3,0,b,q\n4,7,b,p\n5,31,a,q\n5,32,a,q\n5,33,b,q\n6,50,b,p\n";
/// The declared most rows, each at the upper bound, two in each group, with a key of their own.
const LEAVER: &str = "9,50,a,own\n9,50,a,own\n9,50,b,own\n9,50,b,own\n";

/// Exact cells of the two datasets, for the likelihood ratio; which keys there are tells enough where they are found in rows.
type Centres = [Vec<Vec<i128>>; 2];

/// Two neighbouring datasets, each with a ledger of its own.
pub struct Neighbours {
    catalog: Catalog,
    /// With the person, and without.
    bureaus: [Bureau; 2],
    runtime: Runtime,
    /// Requests made so far of each: each is another one, and ε is the same on both sides.
    made: [Cell<u32>; 2],
    _folder: TempDir,
}

const NAMES: [&str; 2] = ["audit.with", "audit.without"];

impl Neighbours {
    /// Registers both datasets, and signs a contract for each.
    ///
    /// # Errors
    /// What of setting it up failed.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let catalog = Catalog::create(&folder.path().join("catalog"), &folder.path().join("master.key"))?;
        for (name, rows) in NAMES.into_iter().zip([LEAVER, ""]) {
            let manifest = MANIFEST.replacen("[dataset]", &format!("[dataset]\nname = \"{name}\""), 1);
            let manifest = Manifest::parse(&manifest).map_err(|report| anyhow!("{report}"))?;
            let file = folder.path().join(name);
            std::fs::File::create(&file)?.write_all([HEADER, OTHERS, rows].concat().as_bytes())?;
            catalog.add(&manifest, &file)?;
        }
        let bureau = |name: &str| {
            let dataset = catalog.get(&name.parse()?).context("a dataset")?;
            Bureau::new(name, dataset.snapshot(), dataset.manifest_digest())
        };
        let [with, without] = NAMES;
        let bureaus = [bureau(with)?, bureau(without)?];
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Self { catalog, bureaus, runtime, made: [Cell::new(0), Cell::new(0)], _folder: folder })
    }

    fn next(&self, side: usize) -> u32 {
        self.made.get(side).map_or(0, |made| made.replace(made.get() + 1))
    }

    fn analyse(&self, question: &Question, side: usize, times: f64, bound: u32) -> Result<Analysis> {
        let nano = (question.epsilon * times * 1e9) as u64 - u64::from(self.next(side));
        let epsilon = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
        let name = NAMES.get(side).copied().context("a side")?;
        let sql = question.sql.replace("{t}", name).replace("{e}", &epsilon).replace("{b}", &bound.to_string());
        let one = NanoEpsilon::from_epsilon(1.0).context("an epsilon")?;
        let defaults = Defaults { epsilon: one, delta: 1e-9, max_groups_contributed: 2 };
        Ok(Draft::read(&self.catalog, &sql, &[])?.complete(defaults, Options::default())?)
    }

    fn cells(&self, analysis: &Analysis) -> Result<Vec<Vec<i128>>> {
        let cells = self.runtime.block_on(analysis.exact_cells(&KEY, Parallelism::default()));
        Ok(cells.map_err(|fault| anyhow!("{fault}"))?.expose())
    }

    fn centres(&self, question: &Question) -> Result<Centres> {
        let cells = |side| self.cells(&self.analyse(question, side, 1.0, question.bound)?);
        Ok([cells(0)?, cells(1)?])
    }

    /// One release, as the product makes it.
    fn release(&self, question: &Question, side: usize) -> Result<NoisyCells> {
        let analysis = self.analyse(question, side, 1.0, question.bound)?;
        let exact = self.runtime.block_on(analysis.exact(KEY, Parallelism::default()));
        self.through(side, exact.map_err(|fault| anyhow!("{fault}"))?, analysis.uses())
    }

    fn through(&self, side: usize, exact: Exact, uses: &BTreeSet<ColumnUse>) -> Result<NoisyCells> {
        let bureau = self.bureaus.get(side).context("a side")?;
        Ok(bureau.release(exact, uses)?.get().clone())
    }

    /// Releases of the right cells under a plan that a mistake would make.
    fn mistaken(
        &self,
        question: &Question,
        side: usize,
        mistake: Mistake,
        releases: usize,
        centres: &Centres,
    ) -> Result<Vec<Seen>> {
        let (times, bound) = match mistake {
            Mistake::HalfScale => (2.0, question.bound),
            Mistake::OffByOne => (1.0, question.bound - 1),
            Mistake::ReusedSeed => (1.0, question.bound),
        };
        let analysis = self.analyse(question, side, times, bound)?;
        let cells = centres.get(side).context("cells")?;
        let one = || {
            let request = Digest::of(&self.next(side).to_be_bytes());
            let exact = Exact::new(Protected::seal(cells.clone()), analysis.noise().clone(), request)?;
            self.through(side, exact, analysis.uses())
        };
        (0..releases).map(|_| Ok(seen(&one()?, centres))).collect()
    }

    /// What is seen of this many releases on each side.
    fn releases(&self, question: &Question, mistake: Option<Mistake>, releases: usize) -> Result<[Vec<Seen>; 2]> {
        let centres = self.centres(question)?;
        if mistake == Some(Mistake::ReusedSeed) {
            let first = self.release(question, 0)?;
            return Ok([0, 1].map(|side| vec![seen(&with_the_noise_of(&first, &centres, side), &centres); releases]));
        }
        let side = |side: usize| match mistake {
            Some(mistake) => self.mistaken(question, side, mistake, releases, &centres),
            None => (0..releases).map(|_| Ok(seen(&self.release(question, side)?, &centres))).collect(),
        };
        Ok([side(0)?, side(1)?])
    }

    /// Asks a question so many times on each side, and tells what its releases give away.
    ///
    /// # Errors
    /// A request that is refused; too few releases.
    pub fn measure(&self, question: &Question, mistake: Option<Mistake>, releases: usize) -> Result<Measured> {
        if releases < 2 * CHOOSE {
            bail!("{releases} releases are too few");
        }
        let noise = self.analyse(question, 0, 1.0, question.bound)?.noise().clone();
        let declared = match noise.kind() {
            MechanismKind::Laplace => question.epsilon,
            MechanismKind::Gaussian => glovebox_privacy::accountant::epsilon_of(noise.cost().rho, question.delta),
        };
        let [with, without] = self.releases(question, mistake, releases)?;
        let (lower, estimate) = told_apart(&with, &without, question.delta);
        Ok(Measured { declared, lower, estimate })
    }
}

/// The cells of a side, with the noise of a release of the first side.
fn with_the_noise_of(release: &NoisyCells, centres: &Centres, side: usize) -> NoisyCells {
    let mut noisy = release.clone();
    let [first, _] = centres;
    let cells = noisy.cells.iter_mut().flatten();
    let own = centres.get(side).unwrap_or(first).iter().flatten();
    cells.zip(own).zip(first.iter().flatten()).for_each(|((cell, own), first)| *cell += own - first);
    noisy
}

impl Neighbours {
    /// Looks for a mistake in the first question, again if it was not seen: what the last look measured, and whether that shows it.
    ///
    /// # Errors
    /// As [`Neighbours::measure`].
    pub fn look_for(&self, mistake: Mistake) -> Result<(Measured, bool)> {
        let question = QUESTIONS.first().context("a question")?;
        let mut look = 1;
        loop {
            let measured = self.measure(question, Some(mistake), MISTAKE_RELEASES)?;
            let seen = measured.lower > measured.declared;
            if seen || look == LOOKS {
                return Ok((measured, seen));
            }
            look += 1;
        }
    }
}

const KEY: SelectionKey = SelectionKey::new(*b"a selection key!");

/// What the tester keeps of one release.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    /// ln P(release | with) − ln P(release | without), but for a constant, if the noise is what it should be. Where keys are found in rows,
    /// whether the person's own is there counts for more than any noise: 1 or 0.
    ratio: f64,
    /// The first number of the release.
    number: i128,
}

fn seen(release: &NoisyCells, [with, without]: &Centres) -> Seen {
    let number = release.cells.first().and_then(|cells| cells.first()).copied().unwrap_or_default();
    if let Some(found) = &release.found {
        let own = found.keys.iter().any(|key| key.iter().any(|part| *part == KeyPart::Text(OWN.to_owned())));
        return Seen { ratio: f64::from(u8::from(own)), number };
    }
    let families = release.families.iter().zip(&release.cells).zip(with.iter().zip(without));
    let cells = families.flat_map(|((family, cells), (with, without))| {
        let scale = family.scale.to_f64();
        cells.iter().zip(with.iter().zip(without)).map(move |(cell, (with, without))| {
            let (a, b) = ((cell - with) as f64 / scale, (cell - without) as f64 / scale);
            match release.kind {
                MechanismKind::Laplace => b.abs() - a.abs(),
                MechanismKind::Gaussian => (b * b - a * a) / 2.0,
            }
        })
    });
    // ε, and with it the scale, differs a little from one request to the next; that is public, and nothing to tell datasets apart by.
    Seen { ratio: (cells.sum::<f64>() * 1e3).round() / 1e3, number }
}

/// An event that may be likelier on one side.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A ratio of at least this.
    AtLeast(f64),
    /// A ratio below this.
    Below(f64),
    /// This very number first. No noise with fresh draws gives much away so.
    Number(i128),
}

impl Event {
    /// How often it was seen, of how many.
    fn counted(self, all: &[Seen]) -> (u64, u64) {
        let holds = |seen: &&Seen| match self {
            Self::AtLeast(least) => seen.ratio >= least,
            Self::Below(least) => seen.ratio < least,
            Self::Number(number) => seen.number == number,
        };
        (all.len() as u64, all.iter().filter(holds).count() as u64)
    }
}

/// ln((lower(p) − δ) / upper(q)) at this rate of error.
fn bounded([p, q]: [(u64, u64); 2], delta: f64, alpha: f64) -> f64 {
    ((lower_bound(p.0, p.1, alpha / 2.0) - delta).max(0.0) / upper_bound(q.0, q.1, alpha / 2.0)).ln()
}

/// ε̂, at least 0, and its estimate without confidence bounds.
fn told_apart(with: &[Seen], without: &[Seen], delta: f64) -> (f64, f64) {
    let (with_choose, with) = with.split_at(with.len() / CHOOSE);
    let (without_choose, without) = without.split_at(without.len() / CHOOSE);
    let mut ratios: Vec<f64> = with_choose.iter().chain(without_choose).map(|seen| seen.ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let places = (0..=64).filter_map(|part| ratios.get(part * ratios.len().saturating_sub(1) / 64));
    let by_ratio = places.flat_map(|ratio| [Event::AtLeast(*ratio), Event::Below(*ratio)]);
    let first = |all: &[Seen]| Event::Number(all.first().map_or(0, |seen| seen.number));
    let events = by_ratio.chain([first(with_choose), first(without_choose)]);
    // Likelier with the person, or without.
    let counted = |event: Event, turned: bool, with: &[Seen], without: &[Seen]| {
        let (p, q) = (event.counted(with), event.counted(without));
        if turned { [q, p] } else { [p, q] }
    };
    let strength = |(event, turned): &(Event, bool)| {
        bounded(counted(*event, *turned, with_choose, without_choose), delta, CHOOSE_ALPHA)
    };
    let best = events
        .flat_map(|event| [(event, false), (event, true)])
        .max_by(|a, b| strength(a).total_cmp(&strength(b)))
        .unwrap_or((Event::AtLeast(0.0), false));
    let [p, q] = counted(best.0, best.1, with, without);
    let part = |(n, seen): (u64, u64), least: u64| seen.max(least) as f64 / n as f64;
    let estimate = ((part(p, 0) - delta).max(0.0) / part(q, 1)).ln();
    (bounded([p, q], delta, FALSE_ALARM).max(0.0), estimate.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ratios of which this part is 1, the others −1.
    fn ratios(ones: usize) -> Vec<Seen> {
        (0..10_000).map(|i| Seen { ratio: if i * 37 % 100 < ones { 1.0 } else { -1.0 }, number: i as i128 }).collect()
    }

    #[test]
    fn what_is_the_same_is_not_told_apart_and_what_differs_is() {
        assert_eq!(told_apart(&ratios(50), &ratios(50), 0.0).0, 0.0);
        let (lower, estimate) = told_apart(&ratios(50), &ratios(10), 0.0);
        assert!((estimate - 5_f64.ln()).abs() < 0.02 && lower < estimate && lower > 1.3, "{lower} {estimate}");
        let (lower, estimate) = told_apart(&ratios(10), &ratios(50), 0.0);
        assert!((estimate - 5_f64.ln()).abs() < 0.02 && lower > 1.3, "the other way: {lower} {estimate}");
        assert_eq!(told_apart(&ratios(50), &ratios(45), 0.1).0, 0.0, "what δ allows is allowed");
    }

    #[test]
    fn one_number_again_and_again_is_seen_though_ratios_tell_nothing() {
        let constant = |number| vec![Seen { ratio: 1.0, number }; 1000];
        assert!(told_apart(&constant(5), &constant(2), 0.0).0 > 3.0);
    }
}
