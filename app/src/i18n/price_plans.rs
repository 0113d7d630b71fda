//! Texts of the pages of price plans.

use super::Lang;
pub use super::catalogue::price_plans::*;
use super::{commands, common, prices};
use model::console::{PriceChange, Typical};
use model::issue::Problem;
use model::tariff::FormFault;

/// What a version changed: `峰 0.7000 → 0.8000`.
#[must_use]
pub fn change(change: PriceChange, lang: Lang) -> String {
    let (t, p) = (texts(lang), prices::texts(lang));
    match change {
        PriceChange::Rate { rate, before, now } => {
            format!("{} {} → {}", common::rate(rate, lang), commands::price(before), commands::price(now))
        }
        PriceChange::Tiers => p.tiers.to_owned(),
        PriceChange::Table(1) => p.table1.to_owned(),
        PriceChange::Table(_) => p.table2.to_owned(),
        PriceChange::Seasons => t.seasons.to_owned(),
    }
}

/// A room of a dry run.
#[must_use]
pub const fn typical(typical: Typical, lang: Lang) -> &'static str {
    let t = texts(lang).typical;
    match typical {
        Typical::Low => t.low,
        Typical::Median => t.median,
        Typical::High => t.high,
        Typical::Assumed => t.assumed,
    }
}

/// What is wrong with the form of a version, and the remedy.
#[must_use]
pub fn fault(fault: FormFault, lang: Lang) -> String {
    let t = texts(lang).fault;
    match fault {
        FormFault::Name => t.name.to_owned(),
        FormFault::From => t.from.to_owned(),
        FormFault::Kind => t.kind.to_owned(),
        FormFault::Field(Problem::Price("price")) => t.price.to_owned(),
        FormFault::Field(problem) => commands::problem(problem, lang).to_owned(),
        FormFault::Table(table) => TableFault { table }.text(lang),
        FormFault::Special => t.special.to_owned(),
        FormFault::Entries => t.entries.to_owned(),
    }
}
