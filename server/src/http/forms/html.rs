//! The forms of a page of this server, found in its HTML, and changes of its elements. All else of the page stays as it is.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use html_escape::{decode_html_entities, encode_double_quoted_attribute};
use lol_html::errors::RewritingError;
use lol_html::html_content::{ContentType, Element};
use lol_html::{RewriteStrSettings, element, end_tag, rewrite_str, text};

/// Where an element begins in its page.
pub type Place = usize;

fn place(element: &Element<'_, '_>) -> Place {
    element.source_location().bytes().start
}

/// A start tag.
#[derive(Debug)]
pub struct Tag {
    pub at: Place,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn of(element: &Element<'_, '_>) -> Self {
        let attributes = element.attributes().iter();
        let attributes = attributes.map(|one| (one.name(), decode_html_entities(&one.value()).into_owned())).collect();
        Self { at: place(element), attributes }
    }

    /// The value of an attribute; empty where it has none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

#[derive(Debug)]
pub enum Input {
    /// What a person types into a field.
    Text,
    /// What a person types into a text area.
    Area,
    /// A box to tick, or one of several to choose.
    Tick,
    /// Options, each with the text in it.
    Select(Vec<(Tag, String)>),
    /// A password, which nobody fills in for its owner.
    Secret,
    /// What the page itself says.
    Hidden,
}

#[derive(Debug)]
pub struct FormField {
    pub name: String,
    pub tag: Tag,
    pub input: Input,
    /// The element behind which its message stands: itself, or of one box of several what names them all.
    pub beside: Place,
}

impl FormField {
    fn of(element: &Element<'_, '_>, legend: Option<Place>) -> Option<Self> {
        let tag = Tag::of(element);
        let input = match (element.tag_name().as_str(), tag.get("type").unwrap_or("text")) {
            ("textarea", _) => Input::Area,
            ("select", _) => Input::Select(Vec::new()),
            (_, "hidden") => Input::Hidden,
            (_, "checkbox" | "radio") => Input::Tick,
            (_, "password") => Input::Secret,
            (_, "file" | "submit" | "button" | "image" | "reset") => return None,
            _ => Input::Text,
        };
        let name = tag.get("name").filter(|name| !name.is_empty())?.to_owned();
        let beside = legend.filter(|_| matches!(input, Input::Tick)).unwrap_or(tag.at);
        Some(Self { name, tag, input, beside })
    }
}

#[derive(Debug)]
pub struct Form {
    pub tag: Tag,
    pub fields: Vec<FormField>,
    /// The folded part of the page that it stands in.
    pub folded: Option<Place>,
}

#[derive(Debug, Default)]
pub struct Page {
    /// Without fields for files.
    pub forms: Vec<Form>,
    /// What the page says at once, such as an error, each with its HTML.
    pub alerts: Vec<(Place, String)>,
}

impl Page {
    /// Of the select field that is read.
    fn options(&mut self) -> Option<&mut Vec<(Tag, String)>> {
        match &mut self.forms.last_mut()?.fields.last_mut()?.input {
            Input::Select(options) => Some(options),
            _ => None,
        }
    }
}

pub fn read(html: &str) -> Result<Page, RewritingError> {
    let page = RefCell::new(Page::default());
    // Around the element that is read: each part that can be folded, if it is, and what names the boxes.
    let folds: Rc<RefCell<Vec<Option<Place>>>> = Rc::default();
    let legend: Rc<Cell<Option<Place>>> = Rc::default();
    let handlers = [
        element!("details", |details| {
            folds.borrow_mut().push((!details.has_attribute("open")).then(|| place(details)));
            let folds = Rc::clone(&folds);
            details.on_end_tag(end_tag!(move |_| {
                folds.borrow_mut().pop();
                Ok(())
            }))
        }),
        element!("fieldset", |fieldset| {
            legend.set(None);
            let legend = Rc::clone(&legend);
            fieldset.on_end_tag(end_tag!(move |_| {
                legend.set(None);
                Ok(())
            }))
        }),
        element!("legend", |element| {
            legend.set(Some(place(element)));
            Ok(())
        }),
        element!("form", |form| {
            let folded = folds.borrow().iter().rev().find_map(|fold| *fold);
            page.borrow_mut().forms.push(Form { tag: Tag::of(form), fields: Vec::new(), folded });
            Ok(())
        }),
        element!("form input, form textarea, form select", |field| {
            if let Some(form) = page.borrow_mut().forms.last_mut() {
                form.fields.extend(FormField::of(field, legend.get()));
            }
            Ok(())
        }),
        element!("form select[name] option", |option| {
            if let Some(options) = page.borrow_mut().options() {
                options.push((Tag::of(option), String::new()));
            }
            Ok(())
        }),
        text!("form select[name] option", |text| {
            if let Some((_, whole)) = page.borrow_mut().options().and_then(|options| options.last_mut()) {
                whole.push_str(text.as_str());
            }
            Ok(())
        }),
        element!("[role=alert]", |alert| {
            page.borrow_mut().alerts.push((place(alert), String::new()));
            Ok(())
        }),
        text!("[role=alert]", |text| {
            if let Some((_, whole)) = page.borrow_mut().alerts.last_mut() {
                whole.push_str(text.as_str());
            }
            Ok(())
        }),
    ];
    rewrite_str(html, handlers.into_iter().fold(RewriteStrSettings::new(), RewriteStrSettings::append_element_content_handler))?;
    Ok(page.into_inner())
}

#[derive(Debug)]
pub enum Change {
    Set(&'static str, String),
    Remove(&'static str),
    /// What stands in the element, as text.
    Content(String),
    /// HTML behind the element.
    After(String),
}

#[derive(Debug, Default)]
pub struct Changes(HashMap<Place, Vec<Change>>);

impl Changes {
    pub fn add(&mut self, at: Place, change: Change) {
        self.0.entry(at).or_default().push(change);
    }

    pub fn apply(&self, html: &str) -> Result<String, RewritingError> {
        let change = element!("*", |element| {
            for change in self.0.get(&place(element)).into_iter().flatten() {
                match change {
                    Change::Set(name, value) => element.set_attribute(name, &encode_double_quoted_attribute(value))?,
                    Change::Remove(name) => element.remove_attribute(name),
                    Change::Content(text) => element.set_inner_content(text, ContentType::Text),
                    Change::After(html) => element.after(html, ContentType::Html),
                }
            }
            Ok(())
        });
        rewrite_str(html, RewriteStrSettings::new().append_element_content_handler(change))
    }
}
