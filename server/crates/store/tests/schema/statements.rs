//! Splits a migration into statements, without comments and with single spaces.

/// Function bodies become `$$`: what is inside belongs to the function, not to the migration.
pub fn statements(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut statement = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (kept, length) = match first {
            '-' if rest.starts_with("--") => (" ", rest.find('\n').unwrap_or(rest.len())),
            '\'' => quoted(rest),
            '$' => dollar_quoted(rest),
            ';' if !inside_trigger(&statement) => {
                found.push(std::mem::take(&mut statement));
                ("", 1)
            }
            c if c.is_whitespace() => (" ", c.len_utf8()),
            c => (&rest[..c.len_utf8()], c.len_utf8()),
        };
        if kept != " " || !(statement.is_empty() || statement.ends_with(' ')) {
            statement.push_str(kept);
        }
        rest = &rest[length..];
    }
    found.push(statement);
    found.retain(|statement| !statement.is_empty());
    found
}

/// A string; a doubled quote inside makes two strings side by side.
fn quoted(text: &str) -> (&str, usize) {
    let length = text[1..].find('\'').map_or(text.len(), |end| end + 2);
    (&text[..length], length)
}

fn dollar_quoted(text: &str) -> (&str, usize) {
    let delimiter = text[1..].find('$').map(|end| &text[..end + 2]);
    let end = delimiter.and_then(|delimiter| Some((delimiter, text[delimiter.len()..].find(delimiter)?)));
    end.map_or(("$", 1), |(delimiter, body)| ("$$", body + 2 * delimiter.len()))
}

/// The statements of a SQLite trigger end in semicolons of their own.
fn inside_trigger(statement: &str) -> bool {
    let statement = statement.to_uppercase();
    statement.starts_with("CREATE TRIGGER") && statement.contains(" BEGIN ") && !statement.trim_end().ends_with("; END")
}

#[test]
fn comments_strings_bodies_and_triggers_are_not_split() {
    let sql = "
        -- A comment; with a semicolon.
        INSERT INTO a (b) VALUES ('it''s; -- not a comment');
        CREATE FUNCTION f() RETURNS trigger AS $x$ BEGIN RETURN NULL; END $x$;
        CREATE TRIGGER t AFTER INSERT ON a
        BEGIN
            UPDATE b SET c = 1; -- one
            UPDATE b SET d = 2;
        END;
        SELECT $1";
    let expected = [
        "INSERT INTO a (b) VALUES ('it''s; -- not a comment')",
        "CREATE FUNCTION f() RETURNS trigger AS $$",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = 1; UPDATE b SET d = 2; END",
        "SELECT $1",
    ];
    assert_eq!(statements(sql), expected);
}
