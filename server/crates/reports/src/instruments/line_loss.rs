//! The tree of circuits: what each passed on, and what the circuits and meters below it received.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::energy::Energy;
use model::ids::{CircuitId, PlaceId};
use model::instrument::DEEPEST;

use super::circuits::{Circuit, Completeness};
use super::meters::PlaceMeters;

pub struct Forest<'a> {
    circuits: &'a [Circuit],
    /// By the circuit that feeds them.
    fed: HashMap<CircuitId, Vec<&'a Circuit>>,
    places: &'a BTreeMap<PlaceId, PlaceMeters>,
}

/// A circuit, or the meters of a place, in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node<'a> {
    name: std::borrow::Cow<'a, str>,
    /// 0 at the top.
    pub level: usize,
    /// Its own energy; `None` where that is not known for the whole range.
    pub energy: Option<Energy>,
    /// The sum of what is right below it; `None` where nothing is, or where some of it is not known.
    pub below: Option<Energy>,
    pub completeness: Completeness,
}

impl Node<'_> {
    /// What did not arrive below.
    pub fn lost(&self) -> Option<Energy> {
        self.energy.zip(self.below).map(|(own, below)| own - below)
    }

    /// The name, further in the deeper it is.
    pub fn indented(&self) -> String {
        match self.level {
            0 => self.name.to_string(),
            level => format!("{}└ {}", "\u{2003}".repeat(level - 1), self.name),
        }
    }
}

impl<'a> Forest<'a> {
    pub fn of(circuits: &'a [Circuit], places: &'a BTreeMap<PlaceId, PlaceMeters>) -> Self {
        let mut fed: HashMap<CircuitId, Vec<&Circuit>> = HashMap::new();
        for circuit in circuits {
            if let Some(parent) = circuit.parent {
                fed.entry(parent).or_default().push(circuit);
            }
        }
        Self { circuits, fed, places }
    }

    /// The nodes, each before those below it. Circuits that feed nothing and are fed by none are left out.
    pub fn nodes(&self) -> Vec<Node<'a>> {
        let here: HashSet<CircuitId> = self.circuits.iter().map(|circuit| circuit.id).collect();
        let mut nodes = Vec::new();
        for root in self.circuits.iter().filter(|circuit| !circuit.parent.is_some_and(|parent| here.contains(&parent))) {
            if self.has_below(root) {
                self.add(root, 0, &mut nodes);
            }
        }
        nodes
    }

    fn children(&self, of: &Circuit) -> impl Iterator<Item = &'a Circuit> {
        self.fed.get(&of.id).into_iter().flatten().copied()
    }

    fn has_below(&self, circuit: &Circuit) -> bool {
        circuit.feeds.is_some() || self.children(circuit).next().is_some()
    }

    fn add(&self, circuit: &'a Circuit, level: usize, nodes: &mut Vec<Node<'a>>) {
        let meters = circuit.feeds.and_then(|place| self.places.get(&place));
        let of_meters = meters.map(|meters| match meters.completeness() {
            Completeness::Complete => Some(meters.wh),
            _ => None,
        });
        let parts: Vec<Option<Energy>> = self.children(circuit).map(Circuit::complete_energy).chain(of_meters).collect();
        let sum = parts.iter().copied().try_fold(Energy::ZERO, |sum, part| Some(sum + part?));
        let below = sum.filter(|_| !parts.is_empty());
        let completeness = match circuit.completeness {
            Completeness::Complete if !parts.is_empty() && below.is_none() => Completeness::BelowUnknown,
            own => own,
        };
        nodes.push(Node { name: circuit.name().into(), level, energy: circuit.complete_energy(), below, completeness });
        if level >= DEEPEST {
            return;
        }
        self.children(circuit).for_each(|child| self.add(child, level + 1, nodes));
        nodes.extend(meters.map(|meters| Node {
            name: meters.name.as_str().into(),
            level: level + 1,
            energy: Some(meters.wh).filter(|_| meters.completeness() == Completeness::Complete),
            below: None,
            completeness: meters.completeness(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    fn id(number: u128) -> CircuitId {
        CircuitId(Uuid::from_u128(number))
    }

    fn circuit(number: u128, parent: Option<u128>, wh: i64) -> Circuit {
        Circuit { parent: parent.map(id), ..Circuit::example(id(number), &number.to_string(), Energy(wh)) }
    }

    /// Name, energy, sum below and loss of each node.
    fn shown(circuits: &[Circuit], places: &BTreeMap<PlaceId, PlaceMeters>) -> Vec<(String, [Option<i64>; 3], Completeness)> {
        let wh = |energy: Option<Energy>| energy.map(|energy| energy.0);
        let nodes = Forest::of(circuits, places).nodes();
        let figures = |node: &Node<'_>| [wh(node.energy), wh(node.below), wh(node.lost())];
        nodes.iter().map(|node| (node.indented(), figures(node), node.completeness)).collect()
    }

    #[test]
    fn a_master_is_compared_with_what_is_right_below_it() {
        let place = PlaceId(Uuid::from_u128(9));
        let meters = PlaceMeters { name: "Rooms".into(), meters: 3, missing: 0, wh: Energy(300) };
        let circuits = [
            circuit(1, None, 1_000),
            Circuit { feeds: Some(place), ..circuit(2, Some(1), 320) },
            circuit(3, Some(1), 640),
            circuit(4, None, 7),
        ];
        let rows = shown(&circuits, &BTreeMap::from([(place, meters)]));
        assert_eq!(
            rows,
            [
                ("1".to_owned(), [Some(1_000), Some(960), Some(40)], Completeness::Complete),
                ("└ 2".to_owned(), [Some(320), Some(300), Some(20)], Completeness::Complete),
                ("\u{2003}└ Rooms".to_owned(), [Some(300), None, None], Completeness::Complete),
                ("└ 3".to_owned(), [Some(640), None, None], Completeness::Complete),
            ]
        );
    }

    #[test]
    fn what_is_not_known_is_not_zero() {
        let unread = Circuit { energy: None, completeness: Completeness::NotRead, ..circuit(3, Some(1), 0) };
        let rows = shown(&[circuit(1, None, 1_000), circuit(2, Some(1), 320), unread], &BTreeMap::new());
        let figures: Vec<_> = rows.iter().map(|(_, figures, completeness)| (*figures, *completeness)).collect();
        assert_eq!(figures[0], ([Some(1_000), None, None], Completeness::BelowUnknown));
        assert_eq!(figures[2], ([None, None, None], Completeness::NotRead));
        let place = PlaceId(Uuid::from_u128(9));
        let meters = PlaceMeters { name: "Rooms".into(), meters: 3, missing: 1, wh: Energy(300) };
        let master = Circuit { feeds: Some(place), ..circuit(1, None, 1_000) };
        let rows = shown(&[master], &BTreeMap::from([(place, meters)]));
        assert_eq!(rows[0].1, [Some(1_000), None, None]);
        assert_eq!(rows[1].2, Completeness::MetersMissing);
    }

    #[test]
    fn a_ring_ends() {
        let ring = [circuit(1, Some(2), 1), circuit(2, Some(1), 1)];
        assert!(shown(&ring, &BTreeMap::new()).is_empty(), "nothing is at its top");
    }
}
