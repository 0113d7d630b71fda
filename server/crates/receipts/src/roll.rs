//! A receipt as bytes for a receipt printer: ESC/POS, with Chinese in GB 18030, which every such printer sold in China has.

use std::cell::RefCell;

use encoding_rs::GB18030;
use escpos::driver::Driver;
use escpos::errors::{PrinterError, Result};
use escpos::printer::Printer;
use escpos::utils::{JustifyMode, Protocol};
use model::receipt_sheet::{Align, Block, Logo};

use super::lines::{Line, lines, width};

/// Columns of a roll of 80 mm: 576 dots of 12 a column.
const ACROSS: usize = 48;

/// `FS &`: two bytes are one Chinese character.
const CHINESE: [u8; 2] = [0x1c, 0x26];

/// Collects what would be sent.
#[derive(Clone, Default)]
struct Collected(RefCell<Vec<u8>>);

impl Driver for Collected {
    fn name(&self) -> String {
        "collected".to_owned()
    }

    fn write(&self, data: &[u8]) -> Result<()> {
        self.0.try_borrow_mut()?.extend_from_slice(data);
        Ok(())
    }

    fn read(&self, _: &mut [u8]) -> Result<usize> {
        Ok(0)
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }
}

/// The bytes: each copy is cut off behind its end.
///
/// # Errors
/// Those of the library, for a command that it does not know; none is expected.
pub fn roll(copies: &[Vec<Block>], logo: Option<&Logo>) -> std::result::Result<Vec<u8>, PrinterError> {
    let mut printer = Printer::new(Collected::default(), Protocol::default(), None);
    printer.init()?.custom(&CHINESE)?;
    for sheet in copies {
        for line in lines(sheet, ACROSS) {
            print(&mut printer, &line, logo)?;
        }
        printer.feeds(4)?.cut()?;
    }
    printer.print()?;
    Ok(printer.driver().0.into_inner())
}

fn print(printer: &mut Printer<Collected>, line: &Line, logo: Option<&Logo>) -> Result<()> {
    match line {
        Line::Title(text) => {
            printer.justify(JustifyMode::CENTER)?.size(2, 2)?.custom(&encoded(text))?.feed()?;
            printer.reset_size()?.justify(JustifyMode::LEFT)?;
        }
        Line::Text { text, align, strong } => {
            let side = match align {
                Align::Left => JustifyMode::LEFT,
                Align::Middle => JustifyMode::CENTER,
                Align::Right => JustifyMode::RIGHT,
            };
            printer.justify(side)?.bold(*strong)?.custom(&encoded(text))?.feed()?;
            printer.bold(false)?.justify(JustifyMode::LEFT)?;
        }
        Line::Row { label, value, indent, strong } => {
            let space = " ".repeat(indent.saturating_sub(width(label)));
            printer.custom(&encoded(&format!("{label}{space}")))?.bold(*strong)?.custom(&encoded(value))?.feed()?;
            printer.bold(false)?;
        }
        Line::Signature(label) => {
            let space = "_".repeat(ACROSS.saturating_sub(width(label) + 1));
            printer.feed()?.custom(&encoded(&format!("{label} {space}")))?.feed()?;
        }
        Line::Rule => {
            printer.custom("-".repeat(ACROSS).as_bytes())?.feed()?;
        }
        Line::Gap => {
            printer.feed()?;
        }
        Line::Logo => {
            if let Some(logo) = logo {
                printer.justify(JustifyMode::CENTER)?.custom(&raster(logo))?.justify(JustifyMode::LEFT)?;
            }
        }
    }
    Ok(())
}

/// A character that the printer cannot have is a question mark; no control character gets through.
fn encoded(text: &str) -> Vec<u8> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    GB18030.encode(&text).0.into_owned()
}

/// `GS v 0`: a picture of black and white dots, eight a byte.
fn raster(logo: &Logo) -> Vec<u8> {
    let row = logo.width.div_ceil(8);
    let bytes = |n: usize| u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes();
    let mut command = vec![0x1d, b'v', b'0', 0];
    command.extend(bytes(row));
    command.extend(bytes(logo.height));
    for line in logo.grey.chunks(logo.width.max(1)).take(logo.height) {
        for dots in line.chunks(8) {
            command.push(dots.iter().zip(0_u32..).fold(0, |byte, (grey, at)| byte | (u8::from(*grey < 128) << (7 - at))));
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Template, Values};

    fn printed(template: &str, copies: usize) -> Vec<u8> {
        let template = Template::parse(template).unwrap();
        roll(&vec![template.render(&Values::sample()).unwrap(); copies], None).unwrap()
    }

    #[test]
    fn a_receipt_is_exactly_these_bytes() {
        let bytes = printed("# {{ title }}\n房间 | {{ room }}\n! 金额 | {{ amount }}\n> {{ number }}{{ copy }}", 1);
        let mut expected = Vec::new();
        expected.extend(b"\x1b@\x1c&");
        expected.extend(b"\x1ba\x01\x1d!\x11");
        expected.extend([0xca, 0xdb, 0xb5, 0xe7, 0xca, 0xd5, 0xbe, 0xdd]); // 售电收据
        expected.extend(b"\x1bd\x01\x1d!\x00\x1ba\x00");
        expected.extend([0xb7, 0xbf, 0xbc, 0xe4]); // 房间
        expected.extend(b"  \x1bE\x001");
        expected.extend([0xba, 0xc5, 0xc2, 0xa5]); // 号楼
        expected.extend(b" 3");
        expected.extend([0xb2, 0xe3]); // 层
        expected.extend(b" 301\x1bd\x01\x1bE\x00");
        expected.extend([0xbd, 0xf0, 0xb6, 0xee]); // 金额
        expected.extend(b"  \x1bE\x01120.00\x1bd\x01\x1bE\x00");
        expected.extend(b"\x1ba\x02\x1bE\x00E2026-000123");
        expected.extend([0xb8, 0xb1, 0xb1, 0xbe]); // 副本
        expected.extend(b"\x1bd\x01\x1bE\x00\x1ba\x00");
        expected.extend(b"\x1bd\x04\x1dVA\x00");
        assert_eq!(bytes, expected, "{bytes:02x?}\n{expected:02x?}");
    }

    #[test]
    fn each_copy_is_cut_off() {
        let bytes = printed("{{ number }} {{ amount }} {{ copy }}", 3);
        assert_eq!(bytes.windows(2).filter(|part| *part == b"\x1dV").count(), 3);
    }

    #[test]
    fn no_name_is_a_command() {
        let template = Template::parse("{{ number }} {{ copy }} {{ amount }} {{ residents }}").unwrap();
        let sheet = template.render(&Values::sample().with("residents", "\u{1b}@\u{1d}V\u{0}\u{10}\u{14}😀")).unwrap();
        let bytes = roll(&[sheet], None).unwrap();
        let at = bytes.windows(6).position(|part| part == b"120.00").unwrap() + 6;
        let end = bytes.len() - b"\x1bd\x01\x1bE\x00\x1ba\x00\x1bd\x04\x1dVA\x00".len();
        assert!(bytes[at..end].iter().all(|byte| *byte >= 0x20), "{:02x?}", &bytes[at..end]);
    }

    #[test]
    fn a_logo_is_dots() {
        let logo = Logo { width: 10, height: 2, grey: [[0; 10], [255; 10]].concat() };
        let bytes = raster(&logo);
        assert_eq!(bytes, [0x1d, b'v', b'0', 0, 2, 0, 2, 0, 0xff, 0xc0, 0, 0]);
    }
}
