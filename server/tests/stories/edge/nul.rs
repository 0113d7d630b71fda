//! NUL characters, which PostgreSQL stores in no text, are refused before anything looks at them.

use leptos::server_fn::axum::server_fn_paths;
use model::person::Role;
use reqwest::header::CONTENT_TYPE;
use story_support::web::Web;
use story_support::{World, both};

both!(nul_characters_are_refused_everywhere, |w: World| async move {
    let web = Web::start(&w).await;
    let nobody = web.visitor();
    for path in ["/%00", "/login?next=%00", "/rooms/%00", "/search?q=a%00b", "/pay/return?out_trade_no=%00", "/pay/%00/notify"] {
        assert_eq!(nobody.get(path).await.status(), 400, "{path}");
        assert_eq!(nobody.post(path, "a=b").await.status(), 400, "{path}");
    }
    for path in ["/api/auth/log-in", "/pay/alipay/notify", "/pay/wechat/notify", "/pay/return", "/no/such/page"] {
        let bodies = ["login=a%00b&password=c", "login=a&password=%00", "login=a\0&password=c", r#"{"login":"a\u0000b"}"#];
        for body in bodies {
            assert_eq!(nobody.post(path, body).await.status(), 400, "{path} {body}");
            // With a false content type, and with none. A channel's JSON is not a form.
            for kind in [Some("application/json"), Some("text/plain"), Some("multipart/form-data; boundary=x"), None] {
                if path.starts_with("/pay/") && kind == Some("application/json") && body.contains("%00") {
                    continue;
                }
                let request = web.client.post(format!("{}{path}", web.base));
                let request = kind.iter().fold(request, |request, kind| request.header(CONTENT_TYPE, *kind));
                assert_eq!(request.body(body).send().await.unwrap().status(), 400, "{path} {kind:?} {body}");
            }
        }
    }
    for (role, login) in [(Role::Resident, "resident"), (Role::Admin, "admin")] {
        let person = web.person(&w, role, login).await.program();
        for (path, _) in server_fn_paths() {
            assert_eq!(person.post(path, "reason=%00").await.status(), 400, "{path}");
        }
        for path in ["/search?q=%00", "/accounts?q=%00", "/audit?q=%00", "/sales?q=%00", "/register.csv?q=%00", "/wall?q=%00"] {
            assert_eq!(person.get(path).await.status(), 400, "{path}");
        }
    }
});
