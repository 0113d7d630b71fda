//! Texts of the first start.

use super::Lang;
pub use super::catalogue::setup::*;
use model::setup::{SALES_COUNTED, SetupProgress, SetupStep};

/// The name of a step, why it is needed, and the link to where it is done.
#[must_use]
pub const fn step(step: SetupStep, lang: Lang) -> StepItemTexts {
    let t = texts(lang).step;
    match step {
        SetupStep::Places => t.places,
        SetupStep::Gateways => t.gateways,
        SetupStep::Meters => t.meters,
        SetupStep::Prices => t.prices,
        SetupStep::Defaults => t.defaults,
        SetupStep::Channels => t.channels,
        SetupStep::People => t.people,
        SetupStep::Reading => t.reading,
        SetupStep::Sale => t.sale,
    }
}

/// How far a step is, in words: what there is, and what lacks it.
#[must_use]
pub fn progress(progress: &SetupProgress, lang: Lang) -> String {
    let SetupProgress { step, have, lacking, differing, friendly, .. } = *progress;
    let count = lacking;
    let (has, lacks) = match step {
        SetupStep::Places => (Rooms { count: have }.text(lang), None),
        SetupStep::Gateways => (Gateways { count: have }.text(lang), Some(GatewaysLack { count }.text(lang))),
        SetupStep::Meters => (Meters { count: have }.text(lang), Some(MetersLack { count }.text(lang))),
        SetupStep::Prices => (Plans { count: have }.text(lang), Some(PlansLack { count }.text(lang))),
        SetupStep::Defaults => (Defaults { count: have }.text(lang), Some(DefaultsLack { count }.text(lang))),
        SetupStep::Channels => (Channels { count: have }.text(lang), None),
        SetupStep::People => (People { count: have }.text(lang), Some(texts(lang).people_lack.to_owned())),
        SetupStep::Reading => (Read { count: have }.text(lang), Some(ReadLack { count }.text(lang))),
        SetupStep::Sale if have >= SALES_COUNTED => (SalesAtLeast { count: have }.text(lang), None),
        SetupStep::Sale => (Sales { count: have }.text(lang), None),
    };
    let differ = (differing > 0).then(|| DefaultsDiffer { count: differing }.text(lang));
    let friendly = (friendly > 0).then(|| DefaultsFriendly { count: friendly }.text(lang));
    let clauses = [Some(has), lacks.filter(|_| lacking > 0), differ, friendly];
    super::common::clauses(clauses.into_iter().flatten(), lang).unwrap_or_default()
}
