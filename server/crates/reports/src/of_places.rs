//! Queries about a list of places.

/// All rows of a query about some places, whose ids stand in its text where it says `$PLACES`; `$1` and on are the values before
/// them. Sums are those of at most [`CHUNK`](crate::meters::CHUNK) places each.
macro_rules! read_of_places {
    ($db:expr, $places:expr, $sql:expr $(, $value:expr)*) => {{
        let mut rows = Vec::new();
        for places in $places.chunks($crate::meters::CHUNK) {
            let first = 1 + <[&str]>::len(&[$(stringify!($value)),*]);
            let ids = (first..first + places.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
            let sql = $sql.replace("$PLACES", &ids);
            let mut found = store::read!($db, |pool| {
                let query = sqlx::query_as(sqlx::AssertSqlSafe(sql))$(.bind($value))*;
                places.iter().fold(query, |query, place| query.bind(*place)).fetch_all(pool).await
            })?;
            rows.append(&mut found);
        }
        rows
    }};
}

pub(crate) use read_of_places;
