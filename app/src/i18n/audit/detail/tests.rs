use super::*;

fn described(action: &str, detail: &str, lang: Lang) -> String {
    let line = AuditLine {
        seq: 1,
        at: Timestamp(0),
        actor: "system".into(),
        ip: String::new(),
        action: action.into(),
        subject: "site".into(),
        place: None,
        detail: detail.into(),
    };
    let id = Uuid::from_u128(7).as_simple().to_string();
    let named = [
        ("account", "6407353703886369"),
        ("meter", "1号楼 301"),
        ("place", "1号楼"),
        ("plan", "居民电价"),
        ("role", "夜班"),
        ("user", "王芳"),
    ];
    let names = named.map(|(kind, name)| (format!("{kind}:{id}"), name.to_owned())).into();
    super::detail(&line, &names, lang).unwrap_or_default()
}

const ID: &str = "00000000-0000-0000-0000-000000000007";

/// A detail as the code writes it, and what must be in its words.
const WRITTEN: &[(&str, &str, &str, &str)] = &[
    ("command.done", r#"{"closed":false,"current_ca":0,"power_w":0,"status":0}"#, "功率（W）", "power, W"),
    (
        "sale.create",
        r#"{"number":"2611230000000001","account":"$","meter":"$","tender":"cash","amount_fen":5000}"#,
        "付款方式：现金",
        "amount: 50.00 yuan",
    ),
    ("shift.close", r#"{"expected_fen":5000,"counted_fen":4900,"reason":"少一元"}"#, "实点：49.00 元", "reason: 少一元"),
    ("user.create", r#"{"login":"wang","role":"cashier"}"#, "角色：收银员", "role: cashier"),
    (
        "payment.held",
        r#"{"reason":"amount","channel":"alipay","source":"notify","out_trade_no":"A1","trade_no":"T9","amount_fen":4900,
           "refunded_fen":null,"expected_fen":5000}"#,
        "金额与订单不符",
        "differs from the order",
    ),
    (
        "payment.held",
        r#"{"reason":"amount","channel":"alipay","source":"query","order_was":"closed"}"#,
        "订单原为：未支付",
        "order was: Not paid",
    ),
    ("payment.credited", r#"{"reason":"credited","channel":"wechat","source":"query"}"#, "来源：查单", "source: query"),
    ("command.done", r#"{"kind":"credit","count":5,"epoch":1,"remaining_fen":6320,"attempts":1}"#, "63.20 元", "63.20 yuan"),
    ("command.held", r#"{"why":"hoarding-limit","remaining_fen":90000,"limit_fen":95000}"#, "囤积限额", "hoarding limit"),
    ("meter.mode", r#"{"mode":"guaranteed"}"#, "保电", "mode: "),
    ("meter.switch", r#"{"on":false,"command":"$"}"#, "通电：否", "on: no"),
    ("batch.create", r#"{"kind":"mode","issue":{"mode":"forced_off"},"meters":12}"#, "强断", "meters: 12"),
    (
        "approval.ask",
        r#"{"request":"$","decision":{"price_place":{"place":"$","plan":"$"}},"basis":{"write_off":{"left":1}},
           "reason":"新学期","asked_by":"$","more":{"amount_fen":0}}"#,
        "居民电价",
        "requested by: 王芳",
    ),
    (
        "closing.carry",
        r#"{"closing":"$","kind":"move","reason":"","more":{"amount_fen":1200,"order":"$","to":"$"}}"#,
        "12.00 元",
        "to: 6407353703886369",
    ),
    ("case.close", r#"{"kind":"relay","resolution":"mended"}"#, "处理结果", "resolution"),
    (
        "site.import",
        r#"{"counts":[{"created":696,"changed":0,"unchanged":0},{"created":4,"changed":1,"unchanged":0},
           {"created":0,"changed":0,"unchanged":3},{"created":0,"changed":0,"unchanged":0},
           {"created":0,"changed":0,"unchanged":0}]}"#,
        "新建 696",
        "created 696",
    ),
    (
        "site.import",
        r#"{"counts":[],"files":[{"name":"site.xlsx","sha256":"9f86d0"}],"created":["1号楼 101"],
           "changed":[{"of":"居民","column":"price","before":"0.6500","after":"0.7000"}]}"#,
        "居民 单价：0.6500 → 0.7000",
        "site.xlsx (SHA-256 9f86d0)",
    ),
    (
        "operator.role",
        r#"{"role":{"before":"cashier","after":"$"},"buildings":{"before":"all","after":["$"]}}"#,
        "角色：收银员 → 夜班；楼栋：全部楼栋 → 1号楼",
        "buildings: all buildings → 1号楼",
    ),
    (
        "role.change",
        r#"{"name":"夜班","permissions":{"before":["watch"],"after":["watch","sell"]}}"#,
        "权限：查看 → ",
        "name: 夜班",
    ),
    ("prices.assign", r#"{"plan":{"before":"$","after":null}}"#, "居民电价 → —", "居民电价 → —"),
    ("place.add", r#"{"kind":"room","names":["301","302"],"below":"1号楼 3层"}"#, "位于：1号楼 3层", "names: 301, 302"),
    ("group.rename", r#"{"name":{"before":"甲班","after":"乙班"}}"#, "甲班 → 乙班", "甲班 → 乙班"),
    ("place.rename", r#"{"before":"1号楼","name":"一号楼"}"#, "原为：1号楼", "before: 1号楼"),
    ("case.owner", r#"{"owner":null,"was":"$"}"#, "原为：王芳", "was: 王芳"),
    (
        "case.follow",
        r#"{"kind":"clock","was":"{\"off_s\":400,\"sets\":2}","is":"{\"off_s\":-70,\"sets\":3}"}"#,
        "；现为：",
        "now: ",
    ),
    ("session.open", r#"{"method":"wechat","second_factor":"code"}"#, "登录方式：微信；两步验证：验证码", "method: WeChat"),
    ("session.open", r#"{"method":"kiosk_qr","kiosk":"Lobby"}"#, "登录方式：在查询机上扫码", "query machine: Lobby"),
    ("site.set-up", r#"{"site":"南校区","method":"set_up"}"#, "登录方式：首次设置", "method: First set-up"),
    ("user.password", r#"{"sessions_ended":2,"method":"password_change"}"#, "登录方式：修改密码后", "log-ins ended: 2"),
    ("alert.reminder", r#"{"below_fen":2000}"#, "低于：20.00", "below: 20.00"),
    ("moon.land", r#"{"crew_size":3,"flag":"red"}"#, "crew size：3", "flag: red"),
];

#[test]
fn each_detail_is_said_in_words() {
    for (action, detail, zh, en) in WRITTEN {
        for (lang, word) in [(Lang::Zh, zh), (Lang::En, en)] {
            let said = described(action, &detail.replace('$', ID), lang);
            assert!(said.contains(word), "{action}: {said}");
            assert!(!said.contains(['{', '"', '_', '$']) && !said.contains("0000-"), "{action}: {said}");
        }
    }
}

#[test]
fn every_key_has_a_label() {
    let bare = [Form::Raw, Form::Inside, Form::Issue, Form::Decision, Form::Kind, Form::Counts];
    for (key, form) in KEYS {
        let labelled = [Lang::Zh, Lang::En].iter().all(|lang| texts(*lang).detail.get(key).is_some());
        assert!(labelled || bare.contains(form), "{key} has no label");
    }
}

#[test]
fn every_id_is_of_something() {
    for (key, form) in KEYS {
        let is_id = matches!(form, Form::Id | Form::Buildings | Form::Role);
        assert_eq!(kind_of(key).is_some(), is_id, "{key} is looked up and said differently");
    }
}

#[test]
fn what_is_no_json_is_left_to_the_raw_record() {
    assert_eq!(described("session.open", "{}", Lang::En), "");
    assert_eq!(described("session.open", "not json", Lang::En), "");
}
