//! The operation log.

use app::i18n::audit::{action, actor, area, detail, subject};
use app::i18n::operator;
use app::pages::operator::audit;
use futures::{StreamExt, stream};
use model::audit::{AuditLine, Names};
use model::error::AppError;
use model::ids::UserId;
use model::language::Lang;
use workbook::Cell;

use super::{Fields, Listing};
use queries::AuditFilter;
use store::Db;

/// Lines read at once.
const CHUNK: i64 = 200;

/// The query limits the lines to what the operator may see.
pub fn listing(db: &Db, operator: UserId, fields: &Fields, lang: Lang) -> Listing {
    let filter = AuditFilter::new(operator, &audit::query(|name| fields.get(name)));
    let rows = stream::try_unfold((None, false, db.clone(), filter), move |(before, is_over, db, filter)| async move {
        if is_over {
            return Ok::<_, AppError>(None);
        }
        let found = queries::audit_lines(&db, &filter, before, CHUNK, 0).await?;
        let names = queries::audit_names(&db, &found).await?;
        let rows = found.iter().map(|line| cells(line, &names, lang)).collect();
        let (last, is_over) = (found.last().map(|line| line.seq), (found.len() as i64) < CHUNK);
        Ok(Some((rows, (last, is_over, db, filter))))
    });
    Listing {
        name: "dormwatt-audit".to_owned(),
        title: operator::texts(lang).audit,
        head: audit::head(lang).to_vec(),
        total: None,
        rows: rows.boxed(),
    }
}

fn cells(line: &AuditLine, names: &Names, lang: Lang) -> Vec<Cell> {
    let kind = line.action.split_once('.').map_or(line.action.as_str(), |(area, _)| area);
    let texts = [
        line.seq.to_string(),
        line.at.to_string(),
        actor(&line.actor, names, lang),
        line.ip.clone(),
        area(kind, lang).to_owned(),
        action(&line.action, lang),
        subject(&line.subject, names, lang),
        line.place.as_ref().map(|(_, room)| room.to_string()).unwrap_or_default(),
        detail(line, names, lang).unwrap_or_default(),
        if line.detail == "{}" { String::new() } else { line.detail.clone() },
    ];
    texts.into_iter().map(Cell::text).collect()
}
