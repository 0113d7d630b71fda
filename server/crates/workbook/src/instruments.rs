//! The sheet of instruments: a row for each circuit.

use domain::serial::Serial;
use domain::site_plan::{InstrumentDevice, InstrumentRow, PlaceName};
use model::instrument::{CountStep, MAX_CIRCUITS, Ratio, USUAL_INTERVAL_S, parse_register};
use model::site_workbook::{Column, Fault};

use crate::fields::Fields;
use crate::sheets::NAME;
use crate::{InstrumentModel, Models};

/// The longest time between two readings, s.
const MOST_S: i64 = 86_400;

/// `None` where something is wrong.
pub fn row(fields: &mut Fields<'_>, models: &Models) -> Option<InstrumentRow> {
    let (mut number, name) = (fields.name(Column::Number, NAME), fields.name(Column::Name, NAME));
    if number.contains('/') {
        fields.fault(Column::Number, Fault::SlashInNumber);
    }
    let place = place(fields, [Column::Building, Column::Floor]);
    let gateway = fields.name(Column::Gateway, NAME);
    let unit = fields.number(Column::Unit, 1, 247);
    let profile = fields.name(Column::Profile, NAME);
    let model = models.instruments.get(&profile).copied();
    if !profile.is_empty() && model.is_none() && fields.right(&[Column::Profile], ()).is_some() {
        fields.fault(Column::Profile, Fault::NotOneOf(models.instruments.keys().cloned().collect()));
    }
    let start = fields.parsed(Column::StartRegister, parse_register, Fault::NotRegister);
    if start.zip(model).is_some_and(|(start, model)| start > model.last_start) {
        fields.fault(Column::StartRegister, Fault::NotRegister);
    }
    if model.is_some_and(|model| model.by_number) {
        number = fields.with_zeros(Column::Number, number);
        if number.parse::<Serial>().is_err() {
            fields.fault(Column::Number, Fault::NotDigits(12));
        }
    }
    let step = fields.decimal(Column::StepKwh, CountStep::parse, Fault::NotStep);
    let pt = fields.decimal(Column::PtRatio, Ratio::parse, Fault::NotRatio).unwrap_or(Ratio::ONE);
    let interval_s = fields.whole(Column::IntervalS, 1, MOST_S).and_then(|seconds| u32::try_from(seconds).ok());
    let circuits = model.map_or(MAX_CIRCUITS, |model: InstrumentModel| model.circuits);
    let position = fields.whole(Column::Circuit, 1, circuits.into()).unwrap_or(1);
    let circuit_name = fields.optional(Column::CircuitName, NAME);
    let ct = fields.decimal(Column::CtRatio, Ratio::parse, Fault::NotRatio).unwrap_or(Ratio::ONE);
    let master = fields.parsed(Column::Master, master, Fault::UnknownMaster);
    let feeds = self::place(fields, [Column::FeedsBuilding, Column::FeedsFloor]);
    if !fields.are_right() {
        return None;
    }
    let device = InstrumentDevice {
        number,
        name: name.clone(),
        place,
        gateway,
        unit: u8::try_from(unit).ok()?,
        profile,
        start,
        step,
        pt,
        interval_s: interval_s.unwrap_or(USUAL_INTERVAL_S),
    };
    let usual = || if circuits == 1 { name } else { position.to_string() };
    Some(InstrumentRow {
        device,
        position: u8::try_from(position).ok()?,
        name: circuit_name.unwrap_or_else(usual),
        ct,
        master,
        feeds,
    })
}

/// A floor needs its building.
/// The building, or the floor of it, that two columns name; `None` where they are blank.
pub fn place(fields: &mut Fields<'_>, [building, floor]: [Column; 2]) -> Option<PlaceName> {
    let (of_building, of_floor) = (fields.optional(building, NAME), fields.optional(floor, NAME));
    if of_building.is_none() && of_floor.is_some() {
        fields.fault(building, Fault::Empty);
    }
    of_building.map(|building| PlaceName { building, floor: of_floor })
}

/// `number` or `number/circuit`.
fn master(text: &str) -> Option<(String, u8)> {
    match text.rsplit_once('/') {
        Some((number, circuit)) => Some((number.trim().to_owned(), circuit.trim().parse().ok()?)),
        None => Some((text.to_owned(), 1)),
    }
}

/// The cells of a row.
pub fn cells(row: &InstrumentRow) -> Vec<String> {
    let InstrumentRow { device, position, name, ct, master, feeds } = row;
    let place = |place: &Option<PlaceName>| match place {
        Some(place) => [place.building.clone(), place.floor.clone().unwrap_or_default()],
        None => [String::new(), String::new()],
    };
    let mut cells = vec![device.number.clone(), device.name.clone()];
    cells.extend(place(&device.place));
    cells.extend([device.gateway.clone(), device.unit.to_string(), device.profile.clone()]);
    cells.push(device.start.map(|start| start.to_string()).unwrap_or_default());
    cells.push(device.step.map(|step| step.to_string()).unwrap_or_default());
    cells.extend([device.pt.to_string(), device.interval_s.to_string(), position.to_string(), name.clone(), ct.to_string()]);
    cells.push(master.as_ref().map(|(number, circuit)| format!("{number}/{circuit}")).unwrap_or_default());
    cells.extend(place(feeds));
    cells
}

/// The example of the template: the main of a building.
pub fn example(pick: impl Fn(&str, &str) -> String, models: &Models) -> Vec<String> {
    let profile = models.instruments.iter().find(|(_, model)| model.circuits == 1 && !model.by_number);
    let (building, gateway) = (pick("1号楼", "Building 1"), pick("1号楼通信管理机", "Gateway 1"));
    let row = InstrumentRow {
        device: InstrumentDevice {
            number: "1-240".to_owned(),
            name: pick("1号楼总表", "Main of building 1"),
            place: Some(PlaceName { building: building.clone(), floor: None }),
            gateway,
            unit: 240,
            profile: profile.map(|(name, _)| name.clone()).unwrap_or_default(),
            start: None,
            step: None,
            pt: Ratio::ONE,
            interval_s: USUAL_INTERVAL_S,
        },
        position: 1,
        name: pick("1号楼总表", "Main of building 1"),
        ct: Ratio::new(40).unwrap_or(Ratio::ONE),
        master: None,
        feeds: Some(PlaceName { building, floor: None }),
    };
    cells(&row)
}

#[cfg(test)]
mod tests {
    use domain::site_plan::{Row, SiteRows};
    use model::language::Lang;

    use super::*;
    use crate::{read, template, workbook};

    fn models() -> Models {
        let single = InstrumentModel { circuits: 1, last_start: 65_534, by_number: false };
        let (multi, own) = (InstrumentModel { circuits: 12, ..single }, InstrumentModel { by_number: true, ..single });
        let all = [("energy-u32", single), ("multi-12-u32", multi), ("dlt645-total", own)];
        Models { instruments: all.map(|(name, model)| (name.to_owned(), model)).into(), ..Models::default() }
    }

    fn site() -> SiteRows {
        let place = |floor: Option<&str>| Some(PlaceName { building: "1号楼".into(), floor: floor.map(str::to_owned) });
        let main = InstrumentDevice {
            number: "M-1".into(),
            name: "总表".into(),
            place: place(None),
            gateway: "G".into(),
            unit: 240,
            profile: "energy-u32".into(),
            start: Some(16),
            step: CountStep::parse("0.1"),
            pt: Ratio::new(100).unwrap(),
            interval_s: 300,
        };
        let floors = InstrumentDevice {
            number: "M-2".into(),
            name: "楼层表".into(),
            unit: 241,
            profile: "multi-12-u32".into(),
            start: None,
            step: None,
            ..main.clone()
        };
        let (one, master) = (Ratio::ONE, Some(("M-1".to_owned(), 1)));
        let circuit = |position: u8, floor| InstrumentRow {
            device: floors.clone(),
            position,
            name: format!("{position}"),
            ct: Ratio::new(40).unwrap(),
            master: master.clone(),
            feeds: place(Some(floor)),
        };
        let rows = [
            InstrumentRow { device: main, position: 1, name: "总表".into(), ct: one, master: None, feeds: None },
            circuit(1, "1层"),
            circuit(12, "2层"),
        ];
        SiteRows { instruments: (2..).zip(rows).map(|(number, value)| Row { number, value }).collect(), ..SiteRows::default() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for lang in [Lang::Zh, Lang::En] {
            let contents = read("site.xlsx", &workbook(lang, &models(), &site()).unwrap(), &models());
            assert_eq!(contents.problems, []);
            assert_eq!(contents.rows.instruments, site().instruments);
            let contents = read("t.xlsx", &template(lang, &models(), &[]).unwrap(), &models());
            let example = &contents.rows.instruments.first().unwrap().value;
            assert_eq!((example.ct.get(), example.device.profile.as_str()), (40, "energy-u32"));
        }
    }

    #[test]
    fn a_wrong_cell_is_named() {
        let head = "number,name,building,floor,gateway,unit,profile,start_register,step_kwh,ct_ratio,circuit,master,feeds_floor";
        let fault = |row: &str| {
            let mut found = read("instruments.csv", format!("{head}\n{row}\n").as_bytes(), &models()).problems;
            found.pop().map(|problem| (problem.column, problem.fault))
        };
        assert_eq!(fault("A,a,B,,G,7,energy-u32,,,,,,"), None);
        assert_eq!(fault("A,a,B,,G,7,energy-u32,0x10,0.01,200/5,1,M/2,"), None);
        for (row, column, wrong) in [
            ("A/1,a,B,,G,7,energy-u32,,,,,,", 0, Fault::SlashInNumber),
            ("A,a,,F,G,7,energy-u32,,,,,,", 2, Fault::Empty),
            ("A,a,B,,G,248,energy-u32,,,,,,", 5, Fault::OutOfRange(1, 247)),
            ("A,a,B,,G,7,energy-u32,65535,,,,,", 7, Fault::NotRegister),
            ("A,a,B,,G,7,energy-u32,,0,,,,", 8, Fault::NotStep),
            ("A,a,B,,G,7,energy-u32,,,7/2,,,", 9, Fault::NotRatio),
            ("A,a,B,,G,7,energy-u32,,,,2,,", 10, Fault::OutOfRange(1, 1)),
            ("A,a,B,,G,7,multi-12-u32,,,,13,,", 10, Fault::OutOfRange(1, 12)),
            ("A,a,B,,G,7,energy-u32,,,,,M/x,", 11, Fault::UnknownMaster),
            ("A,a,B,,G,7,dlt645-total,,,,,,", 0, Fault::NotDigits(12)),
        ] {
            assert_eq!(fault(row), Some((Some(column), wrong)), "{row}");
        }
        assert!(matches!(fault("A,a,B,,G,7,rpp,,,,,,"), Some((Some(6), Fault::NotOneOf(_)))));
    }
}
