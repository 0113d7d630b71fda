//! Receipts on paper. A template, which operators edit, and the values of a receipt give a sheet: a list of lines without markup
//! of any other language. The page, the PDF file and the bytes for a receipt printer are all made from the sheet, so that nothing
//! that somebody writes into a template or a name can be more than text on paper. Beside it: the printers of the site, and what
//! is on its way to them.

pub mod jobs;
mod layout;
mod lines;
mod logo;
mod pdf;
mod printer;
pub mod printers;
mod roll;
pub mod stored;
mod template;
mod values;

pub use logo::{LogoError, logo};
pub use pdf::pdf;
pub use printer::print;
pub use roll::roll;
pub use template::{Template, default_template};
pub use values::{SAMPLE, VALUES, Values};
