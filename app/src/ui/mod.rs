//! Small components, one a file, each with its CSS in `style/`.

pub mod bars;
pub mod callout;
pub mod data_table;
pub mod default_field;
pub mod field;
pub mod heat;
pub mod icon;
pub mod lines;
pub mod live;
pub mod load;
pub mod mark;
pub mod marked;
pub mod money;
pub mod notice;
pub mod preferences;
pub mod receipt_sheet;
pub mod search_box;
pub mod secret_field;
pub mod series;
pub mod state;
pub mod steps;
pub mod table_scroll;
pub mod theme;
pub mod time;
pub mod units;
pub mod wall;
