//! Files that are no tables, or made to exhaust memory.

use std::io::{Read, Write};

use domain::site_plan::SiteRows;
use model::site_workbook::Fault;
use rust_xlsxwriter::Workbook;

use super::{faults, models};
use crate::{MAX_FILE_BYTES, read};

#[test]
fn a_file_that_is_no_table_is_refused_as_a_whole() {
    assert_eq!(faults(&read("a.xlsx", b"PK\x03\x04 and no more", &models())), [&Fault::NotATable]);
    assert_eq!(faults(&read("rooms.csv", &[0xff, 0xfe, 0x00, 0x41], &models())), [&Fault::Encoding]);
    assert_eq!(faults(&read("rooms.csv", b"a\0b", &models())), [&Fault::NotATable]);
    assert_eq!(faults(&read("site.XLSX", b"a,b\n", &models())), [&Fault::NotATable], "a text file with another name");
    assert_eq!(faults(&read("site.xlsx", b"", &models())), [&Fault::NotATable], "an empty file");
    let large = vec![b'a'; MAX_FILE_BYTES + 1];
    assert_eq!(faults(&read("rooms.csv", &large, &models())), [&Fault::FileTooLarge(16)]);
}

#[test]
fn formats_that_take_memory_are_refused() {
    let packed = |styles: &str| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("xl/styles.xml", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(styles.as_bytes()).unwrap();
        zip.finish().unwrap().into_inner()
    };
    let many = "<xf/>".repeat(50_000);
    let long = format!("<font><name val=\"{}\"/></font>", "n".repeat(3_000));
    for styles in [many, long] {
        assert_eq!(faults(&read("s.xlsx", &packed(&styles), &models())), [&Fault::UnpacksTooLarge(96)]);
    }
}

#[test]
fn an_archive_that_unpacks_without_end_is_refused() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..97 {
        zip.write_all(&block).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20);
    assert_eq!(faults(&read("bomb.xlsx", &bytes, &models())), [&Fault::UnpacksTooLarge(96)]);
}

#[test]
fn a_cell_far_away_takes_no_memory() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Rooms").unwrap();
    sheet.write_string(1_048_575, 16_383, "x").unwrap();
    let contents = read("far.xlsx", &book.save_to_buffer().unwrap(), &models());
    assert_eq!(faults(&contents).first(), Some(&&Fault::TooManyRows(50_000)));
}

#[test]
fn a_cell_beyond_all_sheets_is_refused() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Rooms").unwrap().write_string(0, 0, "x").unwrap();
    for cell in ["ZZZZZZZ1", "A99999999999999999"] {
        let mut parts = zip::ZipArchive::new(std::io::Cursor::new(book.save_to_buffer().unwrap())).unwrap();
        let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for index in 0..parts.len() {
            let mut part = parts.by_index(index).unwrap();
            file.start_file(part.name().unwrap().into_owned(), zip::write::SimpleFileOptions::default()).unwrap();
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            file.write_all(text.replace("<c r=\"A1\"", &format!("<c r=\"{cell}\"")).as_bytes()).unwrap();
        }
        let bytes = file.finish().unwrap().into_inner();
        assert_eq!(faults(&read("s.xlsx", &bytes, &models())), [&Fault::NotATable], "{cell}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), zip: bool) {
        let mut file = if zip { b"PK\x03\x04".to_vec() } else { Vec::new() };
        file.extend(bytes);
        let contents = read("meters.csv", &file, &models());
        proptest::prop_assert!(!contents.problems.is_empty() || contents.rows == SiteRows::default());
    }
}
