//! A receipt as a PDF file.
//!
//! The font is one of Adobe's Simplified Chinese character collection, named and not embedded (ISO 32000-2, 9.7.5.2): readers
//! show it with a Chinese font of the machine that they run on. So a file has 3 KB instead of megabytes, and this program needs
//! no font.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use model::receipt_sheet::{Align, Block, Logo, ReceiptPaper};
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, TextRenderingMode};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};

use super::lines::{Line, lines, width};

const MM: f32 = 72.0 / 25.4;
const FONT: Name<'_> = Name(b"F1");
const LOGO: Name<'_> = Name(b"Logo");
const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const TYPE0: Ref = Ref::new(3);
const CID: Ref = Ref::new(4);
const DESCRIPTOR: Ref = Ref::new(5);
const IMAGE: Ref = Ref::new(6);
const FIRST_FREE: i32 = 7;

/// What a paper's size means for the print; in points.
struct Format {
    width: f32,
    /// `None`: as long as the receipt.
    height: Option<f32>,
    /// Copies that share a page, each with its part of it.
    copies: u8,
    margin: f32,
    size: f32,
    /// Of lines, in sizes of the type.
    leading: f32,
}

impl Format {
    const fn of(paper: ReceiptPaper) -> Self {
        match paper {
            ReceiptPaper::A4 => {
                Self { width: 210.0 * MM, height: Some(297.0 * MM), copies: 3, margin: 12.0 * MM, size: 8.2, leading: 1.2 }
            }
            ReceiptPaper::A5 => {
                Self { width: 148.0 * MM, height: Some(210.0 * MM), copies: 1, margin: 12.0 * MM, size: 10.5, leading: 1.45 }
            }
            ReceiptPaper::Roll => Self { width: 80.0 * MM, height: None, copies: 1, margin: 4.0 * MM, size: 9.0, leading: 1.45 },
        }
    }

    /// How many columns fit across the page.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few dozen")]
    fn columns(&self) -> usize {
        ((self.width - 2.0 * self.margin) / (self.size / 2.0)) as usize
    }

    fn leading(&self) -> f32 {
        self.size * self.leading
    }

    fn height_of(&self, line: &Line, logo: Option<&Logo>) -> f32 {
        match line {
            Line::Title(_) => self.leading() * 1.7,
            Line::Signature(_) => self.leading() * 2.0,
            Line::Rule | Line::Gap => self.leading() * 0.7,
            Line::Logo => logo.map_or(0.0, |logo| self.logo_size(logo).1 + self.leading() * 0.5),
            Line::Text { .. } | Line::Row { .. } => self.leading(),
        }
    }

    /// Points across and down: at most 40 mm by 16 mm, or by 8 mm where copies share a page.
    fn logo_size(&self, logo: &Logo) -> (f32, f32) {
        let (across, down) = (small(logo.width), small(logo.height));
        let highest = if self.copies > 1 { 8.0 } else { 16.0 };
        let scale = (40.0 * MM / across.max(1.0)).min(highest * MM / down.max(1.0));
        (across * scale, down * scale)
    }
}

fn small(n: usize) -> f32 {
    u16::try_from(n).map_or(f32::from(u16::MAX), f32::from)
}

/// The file: a sheet for each copy, several on a page where they fit, with a line to cut along.
#[must_use]
pub fn pdf(copies: &[Vec<Block>], paper: ReceiptPaper, logo: Option<&Logo>) -> Vec<u8> {
    let format = Format::of(paper);
    let copies: Vec<Vec<Line>> = copies.iter().map(|sheet| lines(sheet, format.columns())).collect();
    let pages = pages(&format, copies, logo);
    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(PAGES);
    let refs: Vec<(Ref, Ref)> = (FIRST_FREE..).step_by(2).map(|n| (Ref::new(n), Ref::new(n + 1))).take(pages.len()).collect();
    pdf.pages(PAGES).kids(refs.iter().map(|(page, _)| *page)).count(i32::try_from(refs.len()).unwrap_or(i32::MAX));
    for ((page_ref, content_ref), (height, content)) in refs.into_iter().zip(pages) {
        let mut page = pdf.page(page_ref);
        page.media_box(Rect::new(0.0, 0.0, format.width, height)).parent(PAGES).contents(content_ref);
        let mut resources = page.resources();
        resources.fonts().pair(FONT, TYPE0);
        if logo.is_some() {
            resources.x_objects().pair(LOGO, IMAGE);
        }
        resources.finish();
        page.finish();
        pdf.stream(content_ref, &content);
    }
    font(&mut pdf);
    if let Some(logo) = logo {
        image(&mut pdf, logo);
    }
    pdf.finish()
}

/// The pages, each with its height.
fn pages(format: &Format, copies: Vec<Vec<Line>>, logo: Option<&Logo>) -> Vec<(f32, Vec<u8>)> {
    let needs = |copy: &[Line]| copy.iter().map(|line| format.height_of(line, logo)).sum::<f32>() + 1.5 * format.leading();
    let mut pages: Vec<(f32, Content, f32)> = Vec::new();
    for copy in copies {
        let need = match format.height {
            Some(height) => needs(&copy).max(height / f32::from(format.copies)),
            None => needs(&copy),
        };
        match pages.last_mut() {
            // A hair's breadth is rounding.
            Some((_, content, top)) if format.copies > 1 && *top - need > -0.5 => cut_line(content, format, *top),
            _ => {
                let height = format.height.unwrap_or(need + format.margin);
                pages.push((height, Content::new(), height));
            }
        }
        if let Some((_, content, top)) = pages.last_mut() {
            let above = if format.copies > 1 { 0.5 * format.leading() } else { format.margin };
            let mut at = *top - above - format.leading();
            for line in &copy {
                draw(content, format, line, at, logo);
                at -= format.height_of(line, logo);
            }
            *top -= need;
        }
    }
    pages.into_iter().map(|(height, content, _)| (height, content.finish().to_vec())).collect()
}

fn cut_line(content: &mut Content, format: &Format, at: f32) {
    content.save_state().set_line_width(0.5).set_dash_pattern([3.0, 3.0], 0.0);
    content.move_to(0.0, at).line_to(format.width, at).stroke().restore_state();
}

/// Draws a line whose text stands at height `at`.
fn draw(content: &mut Content, format: &Format, line: &Line, at: f32, logo: Option<&Logo>) {
    let (left, across, size) = (format.margin, format.width - 2.0 * format.margin, format.size);
    let long = |text: &str, size: f32| small(width(text)) * size / 2.0;
    match line {
        Line::Title(text) => {
            let big = size * 1.5;
            write(content, text, (left + (across - long(text, big)) / 2.0, at - size * 0.4), big, true);
        }
        Line::Text { text, align, strong } => {
            let space = across - long(text, size);
            let from = match align {
                Align::Left => 0.0,
                Align::Middle => space / 2.0,
                Align::Right => space,
            };
            write(content, text, (left + from, at), size, *strong);
        }
        Line::Row { label, value, indent, strong } => {
            write(content, label, (left, at), size, false);
            write(content, value, (left + small(*indent) * size / 2.0, at), size, *strong);
        }
        Line::Signature(label) => {
            let at = at - size;
            write(content, label, (left, at), size, false);
            rule(content, left + long(label, size) + size, left + across, at - 2.0);
        }
        Line::Rule => rule(content, left, left + across, at + size * 0.5),
        Line::Gap => {}
        Line::Logo => {
            if let Some(logo) = logo {
                let (wide, high) = format.logo_size(logo);
                content.save_state();
                content.transform([wide, 0.0, 0.0, high, left + (across - wide) / 2.0, at + size - high]);
                content.x_object(LOGO).restore_state();
            }
        }
    }
}

fn write(content: &mut Content, text: &str, (x, y): (f32, f32), size: f32, strong: bool) {
    if text.is_empty() {
        return;
    }
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    // There is no bold font that every reader has: the letters get an outline.
    let mode = if strong { TextRenderingMode::FillStroke } else { TextRenderingMode::Fill };
    content.begin_text().set_font(FONT, size).set_text_rendering_mode(mode).set_line_width(size * 0.03);
    content.next_line(x, y).show(Str(&bytes)).end_text();
}

fn rule(content: &mut Content, from: f32, to: f32, at: f32) {
    content.set_line_width(0.5).move_to(from, at).line_to(to, at).stroke();
}

fn font(pdf: &mut Pdf) {
    let base = Name(b"STSong-Light");
    let info = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"GB1"), supplement: 4 };
    pdf.type0_font(TYPE0).base_font(base).encoding_predefined(Name(b"UniGB-UTF16-H")).descendant_font(CID);
    let mut cid = pdf.cid_font(CID);
    cid.subtype(CidFontType::Type0).base_font(base).system_info(info).font_descriptor(DESCRIPTOR).default_width(1000.0);
    // Latin letters.
    cid.widths().same(1, 95, 500.0);
    cid.finish();
    let mut descriptor = pdf.font_descriptor(DESCRIPTOR);
    descriptor.name(base).flags(FontFlags::SERIF | FontFlags::NON_SYMBOLIC).bbox(Rect::new(-25.0, -254.0, 1000.0, 880.0));
    descriptor.italic_angle(0.0).ascent(880.0).descent(-120.0).cap_height(880.0).stem_v(93.0);
}

fn image(pdf: &mut Pdf, logo: &Logo) {
    let packed = compressed(&logo.grey);
    let mut image = pdf.image_xobject(IMAGE, packed.as_deref().unwrap_or(&logo.grey));
    if packed.is_some() {
        image.filter(Filter::FlateDecode);
    }
    image.width(i32::try_from(logo.width).unwrap_or(0)).height(i32::try_from(logo.height).unwrap_or(0));
    image.color_space().device_gray();
    image.bits_per_component(8);
}

fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Template, Values, default_template};
    use model::language::Lang;

    fn copies(n: usize) -> Vec<Vec<Block>> {
        let template = Template::parse(default_template(Lang::Zh)).unwrap();
        vec![template.render(&Values::sample()).unwrap(); n]
    }

    fn count(file: &[u8], what: &str) -> usize {
        file.windows(what.len()).filter(|part| *part == what.as_bytes()).count()
    }

    #[test]
    fn three_copies_share_an_a4_page_and_have_their_own_of_others() {
        let logo = Logo { width: 100, height: 100, grey: vec![0; 10_000] };
        for (paper, pages) in [(ReceiptPaper::A4, 1), (ReceiptPaper::A5, 3), (ReceiptPaper::Roll, 3)] {
            for logo in [None, Some(&logo)] {
                let file = pdf(&copies(3), paper, logo);
                assert!(file.starts_with(b"%PDF-1."));
                assert_eq!(count(&file, "/Type /Page\n") + count(&file, "/Type /Page "), pages, "{paper:?}");
            }
        }
    }

    #[test]
    fn texts_are_in_the_file() {
        let file = pdf(&copies(1), ReceiptPaper::A5, None);
        let hex: String = "壹佰贰拾元整".encode_utf16().map(|unit| format!("{unit:04X}")).collect();
        let raw: Vec<u8> = "壹佰贰拾元整".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(count(&file, &hex) + file.windows(raw.len()).filter(|part| *part == raw).count() >= 1);
    }

    #[test]
    fn a_logo_is_an_image() {
        let logo = Logo { width: 2, height: 1, grey: vec![0, 255] };
        assert_eq!(count(&pdf(&copies(1), ReceiptPaper::A5, Some(&logo)), "/Subtype /Image"), 1);
    }
}
