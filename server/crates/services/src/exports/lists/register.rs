//! The register of sales, returns, refunds and shifts.

use app::i18n::register as words;
use app::pages::operator::register;
use futures::{StreamExt, stream};
use model::console::RecordLine;
use model::error::AppError;
use model::ids::UserId;
use model::language::Lang;
use workbook::Cell;

use super::{Fields, Listing};
use queries::RecordFilter;
use store::Db;

/// Lines read at once.
const CHUNK: i64 = 500;

/// The query limits the lines to what the operator may see.
pub fn listing(db: &Db, operator: UserId, fields: &Fields, lang: Lang) -> Listing {
    let filter = RecordFilter::new(operator, &register::query(|name| fields.get(name)));
    let rows = stream::try_unfold((None, false, db.clone(), filter), move |(after, is_over, db, filter)| async move {
        if is_over {
            return Ok::<_, AppError>(None);
        }
        let found = queries::records(&db, &filter, after, CHUNK, 0).await?;
        let rows = found.iter().map(|record| cells(record, lang)).collect();
        let (last, is_over) = (found.last().map(|last| (last.at, last.id)), (found.len() as i64) < CHUNK);
        Ok(Some((rows, (last, is_over, db, filter))))
    });
    Listing {
        name: "dormwatt-register".to_owned(),
        title: words::texts(lang).register,
        head: register::head(lang).to_vec(),
        total: None,
        rows: rows.boxed(),
    }
}

fn cells(record: &RecordLine, lang: Lang) -> Vec<Cell> {
    let (kind, state) = register::kind_and_state(record.state, lang);
    let texts = [
        record.at.to_string(),
        kind.to_owned(),
        state.to_owned(),
        record.room.building.clone(),
        record.room.floor.clone(),
        record.room.room.clone(),
        record.account.clone(),
        app::i18n::common::tender(record.tender, lang).to_owned(),
    ];
    let amounts = [record.amount, record.taken, record.given].map(Cell::number);
    let rest = [
        record.by.clone(),
        record.receipt.map(|number| number.to_string()).unwrap_or_default(),
        if record.number == 0 { String::new() } else { record.number.to_string() },
    ];
    texts.into_iter().map(Cell::text).chain(amounts).chain(rest.into_iter().map(Cell::text)).collect()
}
