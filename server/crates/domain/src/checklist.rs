//! What a new site still lacks, from what it has.

use model::setup::{Checklist, SetupProgress, SetupStep};

/// Operators without whom nothing can be approved: one asks, another decides.
const PEOPLE: i64 = 2;

/// The limits that meters are told, all together.
const LIMITS: i64 = 5;

/// What a site has, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteFacts {
    pub rooms: i64,
    pub rooms_without_meter: i64,
    pub gateways: i64,
    pub gateways_without_meter: i64,
    pub meters: i64,
    /// Price plans that apply somewhere.
    pub plans: i64,
    /// Meters that sell, in rooms where no plan applies.
    pub meters_without_prices: i64,
    /// Meters that were last read with other prices than those of their plan.
    pub meters_with_other_prices: i64,
    /// Limits that the site's default parameters say.
    pub defaults: i64,
    /// Meters that were last read with other limits than the default parameters.
    pub meters_with_other_limits: i64,
    /// Places and groups with friendly hours of their own.
    pub friendly_hours: i64,
    /// Payment channels that work by the configuration.
    pub channels: i64,
    /// Operators and administrators who may log in.
    pub operators: i64,
    /// Meters that were never read.
    pub meters_unread: i64,
    /// Sales that a meter or a server wallet confirmed, without balances of an older system and subsidies.
    pub sales: i64,
    pub hidden: bool,
}

/// The steps with how far each is.
#[must_use]
pub fn checklist(facts: &SiteFacts) -> Checklist {
    let steps = SetupStep::ALL.map(|step| {
        let read = facts.meters - facts.meters_unread;
        let (have, lacking, done) = match step {
            SetupStep::Places => (facts.rooms, 0, facts.rooms > 0),
            SetupStep::Gateways => (facts.gateways, facts.gateways_without_meter, facts.gateways > 0),
            SetupStep::Meters => (facts.meters, facts.rooms_without_meter, facts.meters > 0),
            SetupStep::Prices => {
                let lacking = facts.meters_without_prices + facts.meters_with_other_prices;
                (facts.plans, lacking, facts.plans > 0 && lacking == 0)
            }
            SetupStep::Defaults => {
                let lacking = (LIMITS - facts.defaults).max(0);
                (facts.defaults, lacking, lacking == 0 && facts.meters_with_other_limits == 0)
            }
            SetupStep::Channels => (facts.channels, 0, facts.channels > 0),
            SetupStep::People => (facts.operators, (PEOPLE - facts.operators).max(0), facts.operators >= PEOPLE),
            // A meter that is broken from the beginning does not hold the others up.
            SetupStep::Reading => (read, facts.meters_unread, read > 0),
            SetupStep::Sale => (facts.sales, 0, facts.sales > 0),
        };
        let (differing, friendly) =
            if step == SetupStep::Defaults { (facts.meters_with_other_limits, facts.friendly_hours) } else { (0, 0) };
        SetupProgress { step, done, have, lacking, differing, friendly }
    });
    Checklist { steps, hidden: facts.hidden }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(facts: SiteFacts) -> Vec<SetupStep> {
        checklist(&facts).steps.into_iter().filter(|step| !step.done).map(|step| step.step).collect()
    }

    const READY: SiteFacts = SiteFacts {
        rooms: 3,
        rooms_without_meter: 1,
        gateways: 1,
        gateways_without_meter: 0,
        meters: 2,
        plans: 1,
        meters_without_prices: 0,
        meters_with_other_prices: 0,
        meters_with_other_limits: 0,
        friendly_hours: 0,
        defaults: 5,
        channels: 1,
        operators: 2,
        meters_unread: 1,
        sales: 1,
        hidden: false,
    };

    #[test]
    fn an_empty_site_lacks_everything() {
        assert_eq!(open(SiteFacts::default()), SetupStep::ALL);
        let list = checklist(&SiteFacts::default());
        assert!(list.is_shown() && !list.is_done());
    }

    #[test]
    fn a_list_that_is_done_or_hidden_is_not_shown() {
        assert_eq!(open(READY), []);
        assert!(!checklist(&READY).is_shown());
        assert!(!checklist(&SiteFacts { hidden: true, ..SiteFacts::default() }).is_shown());
    }

    #[test]
    fn each_step_says_how_many_lack_it() {
        let facts = SiteFacts { operators: 1, meters_unread: 2, meters_without_prices: 1, ..READY };
        assert_eq!(open(facts), [SetupStep::Prices, SetupStep::People, SetupStep::Reading]);
        let of =
            |step: SetupStep| checklist(&facts).steps.into_iter().find(|one| one.step == step).map(|one| (one.have, one.lacking));
        assert_eq!(of(SetupStep::People), Some((1, 1)));
        assert_eq!(of(SetupStep::Reading), Some((0, 2)));
        assert_eq!(of(SetupStep::Meters), Some((2, 1)));
        let some = SiteFacts { defaults: 4, ..READY };
        assert_eq!(open(some), [SetupStep::Defaults], "a meter is told all of them together");
        let other = checklist(&SiteFacts { meters_with_other_prices: 2, ..READY });
        assert!(!other.is_done(), "a plan that no meter has is not in force");
        let other = SiteFacts { meters_with_other_limits: 2, ..READY };
        assert_eq!(open(other), [SetupStep::Defaults], "neither are limits that meters do not have");
        assert_eq!(checklist(&other).steps.map(|step| step.differing).iter().sum::<i64>(), 2);
        let friendly = SiteFacts { friendly_hours: 3, ..READY };
        assert_eq!(checklist(&friendly).steps.map(|step| step.friendly).iter().sum::<i64>(), 3);
        assert_eq!(open(friendly), [], "a site may do without");
    }
}
