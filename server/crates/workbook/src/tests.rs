//! Files as people send them.

use domain::framing::Framing;
use domain::site_plan::{AccountRow, GatewayRow, MeterRow, PriceRow, Row, SettingsOf, SiteRows};
use model::console::RoomName;
use model::gateway::{BytePattern, Dialling, Heartbeat, Host};
use model::language::Lang;
use model::meter::Wallet;
use model::money::Fen;
use model::parameters::TierPeriod;
use model::site_workbook::{Column, Fault, Problem, Sheet};
use model::tariff::{Prices, Tiers};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use crate::{Contents, InstrumentModel, Model, Models, read, template, workbook};

mod hostile_files;

fn models() -> Models {
    let instrument = Model { wallet: Wallet::None, relay: false };
    let models = [("rpp", Model { wallet: Wallet::Meter, relay: true }), ("dlt645", instrument)];
    let main = InstrumentModel { circuits: 1, last_start: 65_534, by_number: false };
    Models {
        meters: models.map(|(name, model)| (name.to_owned(), model)).into(),
        instruments: [("energy-u32".to_owned(), main)].into(),
    }
}

fn csv(name: &str, text: &str) -> Contents {
    read(name, text.as_bytes(), &models())
}

fn problem(sheet: &str, row: u32, column: u32, fault: Fault) -> Problem {
    Problem { sheet: sheet.to_owned(), row: Some(row), column: Some(column), fault }
}

fn faults(contents: &Contents) -> Vec<&Fault> {
    contents.problems.iter().map(|problem| &problem.fault).collect()
}

fn place(room: &str) -> RoomName {
    RoomName { building: "1号楼".into(), floor: "1层".into(), room: room.into() }
}

fn site() -> SiteRows {
    fn row<T>(value: T) -> Row<T> {
        Row { number: 2, value }
    }
    let tiers = Tiers { period: TierPeriod::Month, thresholds: [200_000, 400_000], surcharges: [500, 3_000] };
    let tables = ["00:00=4 08:00=2 22:00=4".parse().unwrap(), "00:00=3".parse().unwrap()];
    let plan = vec!["07-01=1".parse().unwrap(), "09-01=2".parse().unwrap()];
    let prices = Prices { rates: [12_000, 9_000, 6_500, 3_050], tiers, tables, plan };
    SiteRows {
        rooms: vec![row(place("101"))],
        gateways: vec![
            row(GatewayRow {
                name: "G".into(),
                reach: Dialling::Dialled {
                    host: Host::parse("10.0.0.1").unwrap(),
                    port: std::num::NonZeroU16::new(502).unwrap(),
                },
                framing: Framing::Transparent,
                interval_s: Some(30),
                tls_name: Some("g.example".into()),
            }),
            Row { number: 3, value: dial_in() },
        ],
        meters: vec![row(MeterRow {
            serial: "000000000161".parse().unwrap(),
            room: place("101"),
            gateway: "G".into(),
            unit: 247,
            profile: "rpp".into(),
            wallet: Wallet::Server,
        })],
        prices: vec![
            row(PriceRow { plan: "居民".into(), of: SettingsOf::Room(place("101")), prices: prices.clone() }),
            Row { number: 3, value: PriceRow { plan: "居民".into(), of: SettingsOf::Group("研究生".into()), prices } },
        ],
        accounts: vec![row(AccountRow {
            room: place("101"),
            resident: "张三".into(),
            login: "0012".into(),
            password: Some("long enough".into()),
            opening: Fen(5_025),
        })],
        instruments: Vec::new(),
        friendly_hours: Vec::new(),
        contacts: Vec::new(),
        defaults: Vec::new(),
        groups: Vec::new(),
    }
}

fn dial_in() -> GatewayRow {
    let pattern = |text: &str| BytePattern::parse(text).unwrap();
    let heartbeat = Some(Heartbeat { pattern: pattern("hex:00 FE"), answer: Some(pattern("ok\\r")) });
    let reach = Dialling::DialIn { registration: pattern("GW-0001"), heartbeat };
    GatewayRow { name: "4G".into(), reach, framing: Framing::Transparent, interval_s: None, tls_name: None }
}

#[test]
fn a_gateway_is_dialled_or_dials_in() {
    let head = "Gateway,Host,Port,Framing,Registration,Heartbeat,Heartbeat answer\n";
    let wrong = |row: &str| csv("gateways.csv", &format!("{head}{row}\n")).problems.pop().map(|problem| problem.fault);
    assert_eq!(wrong("G,10.0.0.1,502,,,,"), None);
    assert_eq!(wrong("G,,,transparent,GW1,hex:00,"), None);
    assert_eq!(wrong("G,http://g,502,,,,"), Some(Fault::NotHost));
    assert_eq!(wrong("G,10.0.0.256,502,,,,"), Some(Fault::NotHost));
    assert_eq!(wrong("G,,,,hex:4,,"), Some(Fault::NotPattern));
    for incomplete in ["G,,,,,,", "G,h,,,,,", "G,,502,,,,", "G,h,502,,GW1,,", "G,,,,GW1,,ok", "G,h,502,,,hex:00,"] {
        assert_eq!(wrong(incomplete), Some(Fault::ReachIncomplete), "{incomplete}");
    }
    assert_eq!(wrong("G,,,modbus-tls,GW1,,"), Some(Fault::DialInTls));
    assert_eq!(wrong("G,,,,GW1,GW,"), Some(Fault::RegistrationTaken("G".into())));
}

#[test]
fn what_is_written_is_read_again() {
    for lang in Lang::ALL {
        let bytes = workbook(lang, &models(), &site()).unwrap();
        let contents = read("site.xlsx", &bytes, &models());
        assert_eq!(contents.problems, []);
        assert_eq!(contents.rows, site());
    }
}

#[test]
fn the_template_is_a_workbook_without_problems() {
    for lang in Lang::ALL {
        let bytes = template(lang, &models(), &["Fill in.".to_owned()]).unwrap();
        let contents = read("t.xlsx", &bytes, &models());
        assert_eq!(contents.problems, []);
        assert_eq!((contents.rows.rooms.len(), contents.rows.accounts.len()), (1, 1));
    }
}

#[test]
fn csv_in_the_forms_of_spreadsheets() {
    let comma = "楼栋,楼层,房间\n1号楼,1层,0101\n";
    let expected = vec![Row { number: 2, value: place("0101") }];
    for text in [
        comma.to_owned(),
        comma.replace(',', ";"),
        comma.replace(',', "\t"),
        format!("\u{feff}{comma}"),
        comma.replace('\n', "\r\n"),
    ] {
        let contents = csv("rooms.csv", &text);
        assert_eq!((contents.problems, contents.rows.rooms), (vec![], expected.clone()), "{text:?}");
    }
    let (gbk, _, _) = encoding_rs::GBK.encode(comma);
    let contents = read("房间.csv", &gbk, &models());
    assert_eq!((contents.problems, contents.rows.rooms), (vec![], expected));
}

#[test]
fn exported_cells_are_read_as_they_were() {
    let row = crate::csv_line::line(&["1号楼", "1层", "2611230000000001"].map(str::to_owned));
    assert!(row.contains("'2611230000000001"), "marked as text for spreadsheets");
    let contents = csv("rooms.csv", &format!("楼栋,楼层,房间\n{row}1号楼,1层,'0101\n"));
    let rooms: Vec<_> = contents.rows.rooms.into_iter().map(|row| row.value).collect();
    assert_eq!((contents.problems, rooms), (vec![], vec![place("2611230000000001"), place("0101")]));
}

#[test]
fn names_of_places_are_read_in_half_width() {
    let contents = csv("rooms.csv", "楼栋,楼层,房间\n１号楼,１层,１０１\n");
    assert_eq!((contents.problems, contents.rows.rooms), (vec![], vec![Row { number: 2, value: place("101") }]));
    let meters = csv("meters.csv", "表号,楼栋,房间,通信管理机,站号,表型\n００００００００００１２,A,1,G,７,rpp\n");
    assert_eq!((meters.problems, meters.rows.meters.first().map(|row| row.value.unit)), (vec![], Some(7)));
}

#[test]
fn a_quoted_cell_with_a_line_break_keeps_the_row_numbers() {
    let contents = csv("rooms.csv", "Building,Floor,Room\n\"A\nB\",1,1\nC,1,\n");
    assert_eq!(contents.problems, [problem("rooms", 2, 0, Fault::ControlCharacter), problem("rooms", 4, 2, Fault::Empty),]);
}

#[test]
fn an_unclosed_quotation_mark_is_named_with_its_line() {
    let of = |text: &str| csv("rooms.csv", &format!("Building,Floor,Room\nA,1,1\n{text}"));
    assert_eq!(faults(&of("A,1,\"2\nA,1,3\nA,1,4\n")), [&Fault::UnclosedQuote(3)]);
    for text in ["A,1,\"2\"\n", "A,1,\"2\"\"\"\n", "A,1,2\"\n", "\"A\",\"\",\"\"\n"] {
        assert!(!faults(&of(text)).iter().any(|fault| matches!(fault, Fault::UnclosedQuote(_))), "{text}");
    }
}

#[test]
fn a_cell_has_one_problem() {
    let login = "x y".repeat(50);
    let contents = csv("accounts.csv", &format!("Building,Room,Resident,Login name\nA,1,B,{login}\n"));
    assert_eq!(contents.problems.iter().filter(|problem| problem.column == Some(3)).count(), 1, "{:?}", contents.problems);
}

#[test]
fn numbers_that_are_text_keep_their_zeros() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("电表").unwrap();
    for (column, title) in (0..).zip(["表号*", "楼栋", "楼层", "房间", "通信管理机", "站号", "表型"]) {
        sheet.write_string(0, column, title).unwrap();
    }
    let cells = ["", "1号楼", "1层", "", "G", "", "rpp"];
    for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        sheet.write_string(1, column, cell).unwrap();
    }
    sheet.write_number(1, 0, 161.0).unwrap();
    sheet.write_number(1, 3, 101.0).unwrap();
    sheet.write_number(1, 5, 7.0).unwrap();
    let contents = read("m.xlsx", &book.save_to_buffer().unwrap(), &models());
    assert_eq!(contents.problems, []);
    let meter = &contents.rows.meters.first().unwrap().value;
    assert_eq!((meter.serial.to_string().as_str(), meter.room.room.as_str(), meter.unit), ("000000000161", "101", 7));
}

/// One sheet of accounts whose room, login name, and opening balance are numbers with formats.
fn formatted(room: (f64, &str), login: (f64, &str), opening: (f64, &str)) -> Contents {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("账户").unwrap();
    for (column, title) in (0..).zip(["楼栋", "楼层", "房间", "住户", "登录名", "期初余额(元)"]) {
        sheet.write_string(0, column, title).unwrap();
    }
    for (column, text) in [(0, "1号楼"), (1, "1层"), (3, "张三")] {
        sheet.write_string(1, column, text).unwrap();
    }
    for (column, (number, format)) in [(2, room), (4, login), (5, opening)] {
        sheet.write_number_with_format(1, column, number, &Format::new().set_num_format(format)).unwrap();
    }
    read("a.xlsx", &book.save_to_buffer().unwrap(), &models())
}

#[test]
fn numbers_in_text_columns_are_read_as_they_are_shown() {
    let read = |room, login| {
        let contents = formatted(room, login, (50.5, "#,##0.00"));
        let row = contents.rows.accounts.first().map(|row| row.value.clone()).expect("a row");
        assert_eq!((contents.problems, row.opening), (vec![], Fen(5_050)));
        (row.room.room, row.login)
    };
    assert_eq!(read((7.0, "000"), (12.0, "0000")), ("007".to_owned(), "0012".to_owned()));
    assert_eq!(read((101.0, "General"), (12.0, "@")), ("101".to_owned(), "12".to_owned()));
    assert_eq!(read((7.0, "\"A\"000"), (13_800_000_000.0, "0")), ("A007".to_owned(), "13800000000".to_owned()));
}

#[test]
fn a_number_that_is_shown_in_another_way_is_refused_as_text() {
    for (room, format) in [(7.0, "0.00"), (7.5, "General"), (1_007.0, "#,##0"), (0.07, "0%"), (7.0, "0.00E+00"), (-7.0, "000")] {
        let contents = formatted((room, format), (12.0, "0"), (0.5, "0%"));
        assert_eq!(contents.problems, [problem("账户", 2, 2, Fault::NumberFormat)], "{room} as {format}");
        let opening = contents.partial.accounts.first().map(|row| row.value.login.clone());
        assert_eq!(opening, Some(Some("12".to_owned())), "the rest of the row is known");
    }
}

#[test]
fn a_number_with_a_rounding_error_is_the_one_that_is_shown() {
    let contents = formatted((101.0, "0"), (12.0, "0"), (0.1 + 0.2, "0.00"));
    assert_eq!(contents.rows.accounts.first().map(|row| row.value.opening), Some(Fen(30)), "{:?}", contents.problems);
}

#[test]
fn former_titles_are_still_read() {
    for head in [
        "表号,楼栋,房间,通信管理机,通信地址,表型",
        "Serial number,Building,Room,Gateway,Unit id,Profile",
        "serial,building,room,gateway,unit,profile",
    ] {
        let contents = csv("meters.csv", &format!("{head}\n000000000001,A,1,G,7,rpp\n"));
        assert_eq!((contents.problems, contents.rows.meters.len()), (vec![], 1), "{head}");
    }
    let gateways = csv("gateways.csv", "通信管理机,地址,端口,通信方式,证书名称\nG,10.0.0.1,502,modbus-tcp,\n");
    assert_eq!((gateways.problems, gateways.rows.gateways.len()), (vec![], 1));
}

#[test]
fn a_missing_column_hides_no_other_fault() {
    let contents = csv("meters.csv", "Serial number,Building,Room,Unit number,Profile\n1,A,1,248,rpp\n");
    assert_eq!(faults(&contents), [&Fault::MissingColumn(Column::Gateway), &Fault::NotDigits(12), &Fault::OutOfRange(1, 247)]);
    let partial = contents.partial.meters.first().map(|row| row.value.clone()).expect("a row");
    assert_eq!((partial.serial, partial.room.map(|room| room.room), partial.gateway), (None, Some("1".to_owned()), None));
    assert_eq!(csv("list.csv", "a,b\n").partial.unread.len(), Sheet::ALL.len(), "it may be any of the sheets");
}

#[test]
fn cells_that_are_not_taken_say_why() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Rooms").unwrap();
    for (column, title) in (0..).zip(["Building", "Floor", "Room"]) {
        sheet.write_string(0, column, title).unwrap();
    }
    let date = Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_datetime_with_format(1, 0, ExcelDateTime::from_ymd(2026, 9, 1).unwrap(), &date).unwrap();
    sheet.write_formula(1, 2, Formula::new("=1+1").set_result("2")).unwrap();
    sheet.merge_range(2, 0, 2, 1, "A", &Format::new()).unwrap();
    sheet.write_string(2, 2, "101").unwrap();
    sheet.write_number(3, 0, 12_345_678_901_234_567.0).unwrap();
    sheet.write_string(3, 2, "102").unwrap();
    sheet.write_string(4, 0, "A").unwrap();
    sheet.write_boolean(4, 2, true).unwrap();
    let contents = read("r.xlsx", &book.save_to_buffer().unwrap(), &models());
    assert_eq!(
        contents.problems,
        [
            problem("Rooms", 2, 0, Fault::Date),
            problem("Rooms", 2, 2, Fault::Formula),
            problem("Rooms", 3, 0, Fault::Merged),
            problem("Rooms", 3, 1, Fault::Merged),
            problem("Rooms", 4, 0, Fault::DigitsLost),
            problem("Rooms", 5, 2, Fault::TruthValue),
        ]
    );
    assert!(contents.rows.rooms.is_empty());
}

#[test]
fn columns_and_sheets_must_be_known() {
    let contents = csv("rooms.csv", "Building,Flor,Room,Room\nA,1,1,1\n");
    assert_eq!(faults(&contents), [&Fault::UnknownColumn("Flor".into()), &Fault::RepeatedColumn(Column::Room)]);
    let contents = csv("rooms.csv", "Building,Floor\nA,1\n");
    assert_eq!(faults(&contents), [&Fault::MissingColumn(Column::Room)]);
    assert_eq!(faults(&csv("list.csv", "a,b\n")), [&Fault::UnknownSheet]);
    assert_eq!(faults(&csv("rooms.csv", "")), [&Fault::MissingColumn(Column::Building), &Fault::MissingColumn(Column::Room)]);
}

#[test]
fn values_out_of_range_are_named_with_their_column() {
    let head = "Serial number,Building,Floor,Room,Gateway,Unit id,Profile,Wallet\n";
    let contents = csv("meters.csv", &format!("{head}12,A,1,1,G,248,other,purse\n"));
    assert_eq!(
        contents.problems,
        [
            problem("meters", 2, 0, Fault::NotDigits(12)),
            problem("meters", 2, 5, Fault::OutOfRange(1, 247)),
            problem("meters", 2, 6, Fault::NotOneOf(vec!["dlt645".into(), "rpp".into()])),
            problem(
                "meters",
                2,
                7,
                Fault::NotOneOf(["meter", "server", "none", "表内钱包", "系统钱包", "无"].map(String::from).to_vec())
            ),
        ]
    );
    let contents = csv("prices.csv", "Price plan,Price,Peak price\nA,0.5,0.6\nB,5.12345,\nC,,\n");
    assert_eq!(faults(&contents), [&Fault::PriceIncomplete, &Fault::NotPrice, &Fault::PriceIncomplete]);
    let contents =
        csv("accounts.csv", "Building,Room,Resident,Login name,Opening balance (yuan)\nA,1,B,b,-5\nA,1,C,c,100000.01\n");
    assert_eq!(faults(&contents), [&Fault::NotYuan, &Fault::AmountRefused]);
}

#[test]
fn a_model_has_the_wallets_that_it_can_have() {
    let row = |wallet: &str| {
        let head = "Serial number,Building,Room,Gateway,Unit id,Profile,Wallet";
        csv("meters.csv", &format!("{head}\n000000000001,A,1,G,1,dlt645,{wallet}\n"))
    };
    for wallet in ["meter", "server"] {
        assert_eq!(faults(&row(wallet)), [&Fault::WalletOfModel], "{wallet}");
    }
    for wallet in ["", "none"] {
        assert_eq!(row(wallet).rows.meters.first().map(|meter| meter.value.wallet), Some(Wallet::None), "{wallet:?}");
    }
}
