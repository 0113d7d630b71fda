use super::*;

const PAGE: &str = concat!(
    r#"<script>const x = "<form>";</script><!-- <form action="/a"> -->"#,
    r#"<form action="/search"><input name="q" value="old"></form>"#,
    r#"<details><summary>More</summary><form method="post" action="/a"><input type="hidden" name="id" value="2">"#,
    r#"<label><span>Name</span><input name="name" value="before &amp; after" required maxlength="8"/></label>"#,
    r#"<textarea class="input" name="names" rows="3">old</textarea>"#,
    r#"<select name="kind"><option value="a" selected>A</option><option value="b">B</option></select>"#,
    r#"<input type="checkbox" name="all" value="1" checked><input type="password" name="password" value="">"#,
    r#"</form></details>"#,
    r#"<form method="post" action="/a"><input type="hidden" name="id" value="3"><input name="name"></form>"#,
);

fn kept(fields: &[(&str, &str)], error: AppError, wrong: Option<&str>) -> KeptForm {
    KeptForm {
        action: "/a".to_owned(),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        error: Some(error),
        wrong: wrong.map(|name| WrongField { name: name.to_owned(), message: None }).into_iter().collect(),
    }
}

fn fill(html: &str, kept: &KeptForm, words: &RefusalWords<'_>) -> String {
    super::fill(html, kept, words).unwrap()
}

fn words(error: &str) -> RefusalWords<'_> {
    RefusalWords { error, typed: "You wrote:" }
}

#[test]
fn form_is_filled_with_what_was_typed() {
    let posted = [("id", "2"), ("name", "a \"b\" <c>"), ("names", "one\r\ntwo"), ("kind", "b"), ("password", "secret")];
    let page = fill(PAGE, &kept(&posted, AppError::NameTaken, None), &words("taken"));
    for expected in [
        r#"name="name" value="a &quot;b&quot; &lt;c&gt;" required maxlength="8" />"#,
        "\none\r\ntwo</textarea>",
        r#"<option value="a">A</option><option value="b" selected="">B</option>"#,
        r#"name="all" value="1"><input type="password" name="password" value="">"#,
        r#"<details open="">"#,
        r#"action="/a" data-restored="">"#,
        r#"value="old""#,
        r#"aria-invalid="true" aria-describedby="wrong-field" autofocus="">"#,
        r#"</textarea><span class="problem" id="wrong-field">taken</span>"#,
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    assert!(!page.contains("secret"));
}

#[test]
fn errors_of_checkboxes_stand_below_their_legend() {
    let html = r#"<form method="post" action="/a"><fieldset><legend>Days</legend><label><input type="checkbox" name="days[]"
        value="0" checked>Mon</label></fieldset><input name="own"></form>"#;
    let page = fill(html, &kept(&[("own", "1")], AppError::Invalid, Some("days")), &words("none"));
    assert!(page.contains(r#"</legend><span class="problem" id="wrong-field">none</span>"#), "{page}");
    let page = fill(html, &kept(&[("own", "1")], AppError::AmountOutOfRange, None), &words("too little"));
    assert!(page.contains(r#"autofocus=""><span class="problem" id="wrong-field">too little</span></form>"#), "{page}");
}

#[test]
fn of_several_forms_the_posted_one_is_filled() {
    let page = fill(PAGE, &kept(&[("id", "3"), ("name", "x")], AppError::Conflict, None), &words(""));
    assert!(page.contains(r#"value="3"><input name="name" value="x">"#), "{page}");
    assert!(page.contains("before &amp; after") && page.contains("<details><summary>"), "{page}");
}

#[test]
fn form_before_a_confirmation_is_filled() {
    let mut asked = kept(&[("q", "typed"), ("meter", "1")], AppError::Conflict, None);
    asked.action = "/b".to_owned();
    assert!(fill(PAGE, &asked, &words("")).contains(r#"<input name="q" value="typed">"#));
    asked.fields = vec![("other".to_owned(), "x".to_owned())];
    assert_eq!(fill(PAGE, &asked, &words("")), PAGE, "no form asks for that");
}

#[test]
fn field_that_does_not_fit_is_named() {
    for (name, is_wrong) in [("", true), ("123456789", true), ("12345678", false)] {
        let page = fill(PAGE, &kept(&[("id", "2"), ("name", name)], AppError::Invalid, None), &words("bad"));
        assert_eq!(page.contains(r#"bad</span></label>"#), is_wrong, "{name} {page}");
    }
    let page = fill(PAGE, &kept(&[("id", "2"), ("name", "")], AppError::Invalid, Some("kind")), &words("bad"));
    assert!(page.contains(r#"</select><span class="problem""#), "the server's word counts: {page}");
}

#[test]
fn all_wrong_fields_are_marked_at_once() {
    let mut asked = kept(&[("id", "2"), ("name", "x"), ("names", "y")], AppError::Invalid, None);
    asked.wrong = ["names", "name"].map(|name| WrongField { name: name.to_owned(), message: Some(format!("bad {name}")) }).into();
    let page = fill(&format!(r#"<p class="notice bad" role="alert">bad</p>{PAGE}"#), &asked, &words("bad"));
    for expected in [
        r#"role="alert">bad name</p>"#,
        r#"aria-describedby="wrong-field" autofocus="" /><span class="problem" id="wrong-field">bad name</span>"#,
        r#"<span class="problem" id="wrong-field-2">bad names</span>"#,
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    assert_eq!(page.matches("autofocus").count(), 1);
    let two = r#"<form action="/a"><input name="a" required><input name="b" inputmode="numeric"><input name="c"></form>"#;
    let page = fill(two, &kept(&[("a", ""), ("b", "x"), ("c", "")], AppError::Invalid, None), &words("bad"));
    assert_eq!(page.matches("aria-invalid").count(), 2, "those that do not fit: {page}");
}

#[test]
fn options_without_values_are_chosen_by_their_text() {
    let options = r#"<option selected="">A &amp; B<!----></option><option> C &amp; D </option>"#;
    let page = fill(
        &format!(r#"<form action="/a"><select name="unit">{options}</select></form>"#),
        &kept(&[("unit", "C & D")], AppError::Conflict, None),
        &words(""),
    );
    assert!(page.contains(r#"<option>A &amp; B<!----></option><option selected=""> C &amp; D </option>"#), "{page}");
}

#[test]
fn parts_around_the_form_alone_are_unfolded() {
    let form = r#"<form action="/a"><input name="q"></form>"#;
    let html = format!("<details id=1><details id=2></details><details open id=3>{form}</details></details>");
    let page = fill(&html, &kept(&[("q", "x")], AppError::Conflict, None), &words(""));
    assert!(page.starts_with(r#"<details id=1 open=""><details id=2></details><details open id=3><form"#), "{page}");
}

#[test]
fn all_but_the_form_stays_as_it_is() {
    let [before, behind] = [
        concat!(
            r#"<!DOCTYPE html><html lang=zh-CN><meta  charset="utf-8"><!--hot--><style>a>b{}</style>"#,
            r#"<leptos-island data-component='X_1' data-props="{&quot;a&quot;:1}">电<!><br/><B>1 < 2</B ></leptos-island>"#,
        ),
        r#"</p><script nonce="n+/=" type=module>if (a < b && "</form>") {}</script><svg><path d=""/></svg>"#,
    ];
    let form = r#"<form action="/a"><input name="q" value="#;
    let page = fill(&format!("{before}{form}\"\">{behind}"), &kept(&[("q", "电")], AppError::Conflict, None), &words(""));
    assert_eq!(page, format!("{before}{form}\"电\">{behind}"));
}

#[test]
fn what_was_written_into_a_form_that_is_gone_is_quoted() {
    let mut gone = kept(&[("case", "1"), ("resolution", "relay <changed>")], AppError::Conflict, None);
    gone.action = "/gone".to_owned();
    let page = fill(r#"<p class="notice bad" role="alert">done before</p><h1>x</h1>"#, &gone, &words("done before"));
    let quoted = r#"done before</p><p class="notice">You wrote: relay &lt;changed&gt;</p><h1>"#;
    assert!(page.contains(quoted), "{page}");
    assert_eq!(fill("<h1>x</h1>", &gone, &words("")), "<h1>x</h1>");
}

#[test]
fn broken_html_is_left_in_one_piece() {
    for html in [
        "<form action=\"/a\"><input name=\"name\" value=\"",
        "<form action=/a><select name=name><option>x",
        "<",
        "a < b",
        "<input =",
    ] {
        let page = fill(html, &kept(&[("name", "x")], AppError::Invalid, None), &words(""));
        assert!(page.starts_with(html.get(..1).unwrap_or_default()), "{html}");
    }
}
