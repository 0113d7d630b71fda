//! The command line: errors are reported clearly, with the right exit code and without a panic.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn dormwatt(dir: &Path, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dormwatt"));
    command.current_dir(dir).args(arguments).envs(environment.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The child may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs it, expects this exit code, and gives its error output.
fn error_output(dir: &Path, arguments: &[&str], environment: &[(&str, &str)], code: i32) -> String {
    let output = dormwatt(dir, arguments, environment, "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn output_that_nobody_reads_ends_a_command_quietly() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine.toml"), include_str!("../../crates/meters/profiles/hiking-dds238.toml")).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_dormwatt"));
    command.current_dir(dir.path()).args(["check", "--profile", "mine.toml"]).stdout(writer).stderr(Stdio::piped());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((said.as_str(), output.status.code()), ("", Some(141)));
}

#[test]
fn a_port_in_use_is_named_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = error_output(dir.path(), &["serve"], &[("DORMWATT_SERVER__ADDRESS", &address)], 1);
    assert!(said.contains(&address) && said.contains("server.address") && said.contains("in use"), "{said}");
    assert!(!dir.path().join("data").exists(), "the database of the server that runs was not touched");
}

#[test]
fn a_configuration_error_names_key_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    for (text, key) in [
        ("[server]\nadress = \"127.0.0.1:80\"\n", "server.adress"),
        ("[server]\naddress = \"everywhere\"\n", "server.address"),
        ("[meters]\nsweep_interval_ms = \"soon\"\n", "meters.sweep_interval_ms"),
        ("[database]\nurl = \"mysql://h/n\"\n", "database.url"),
        ("[log]\nformat = \"xml\"\n", "log.format"),
        ("[server\n", ""),
    ] {
        std::fs::write(&file, text).unwrap();
        let said = error_output(dir.path(), &["--config", "mine.toml", "check"], &[], 2);
        assert!(said.contains("mine.toml") && said.contains(key), "{text}: {said}");
    }
    let said = error_output(dir.path(), &["check", "--config", "missing.toml"], &[], 2);
    assert!(said.contains("missing.toml"), "{said}");
    let said = error_output(dir.path(), &["check"], &[("DORMWATT_METERS__BAUD", "9")], 2);
    assert!(said.contains("meters.baud"), "{said}");
    let said = error_output(dir.path(), &["check"], &[("DORMWATT_SERVER__ADDRES", "x")], 2);
    assert!(said.contains("DORMWATT_SERVER__ADDRES"), "{said}");
    std::fs::write(&file, "[pay.alipay]\napp_id = \"1\"\n").unwrap();
    let environment = [("DORMWATT_SERVER__ADDRESS", "127.0.0.1:0"), ("DORMWATT_DATABASE__URL", "sqlite:t.db")];
    // The server would start without the channel; the check fails.
    let output = dormwatt(dir.path(), &["check", "--config", "mine.toml"], &environment, "");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("payment channel: alipay takes no payments"), "{said}");
    assert!(said.contains("because pay.") && !said.contains("configuration: good"), "{said}");
    std::fs::write(&file, "[keys]\nenc = \"hunter2\"\n").unwrap();
    let said = error_output(dir.path(), &["serve", "--config", "mine.toml"], &environment, 2);
    assert!(said.contains("keys") && said.contains("enc") && !said.contains("hunter2"), "{said}");
}

#[test]
fn an_unusable_database_path_is_named_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    // /proc is read-only for everybody, root too; below a file nothing can be made.
    for url in ["sqlite:/proc/dormwatt.db", "sqlite:file/dormwatt.db", "sqlite:no/such/dir/dormwatt.db"] {
        for command in ["serve", "migrate", "verify", "check"] {
            let environment = [("DORMWATT_DATABASE__URL", url), ("DORMWATT_SERVER__ADDRESS", "127.0.0.1:0")];
            let said = error_output(dir.path(), &[command], &environment, 1);
            assert!(said.contains("database.url"), "{command} {url}: {said}");
        }
    }
    let environment = [("DORMWATT_DATABASE__URL", "postgres://x:hunter2@127.0.0.1:1/x")];
    let said = error_output(dir.path(), &["check"], &environment, 1);
    assert!(said.contains("database.url") && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_user_is_added_and_verify_passes() {
    let dir = tempfile::tempdir().unwrap();
    let environment = [("DORMWATT_DATABASE__URL", "sqlite:t.db")];
    let add = ["admin", "create-user", "--login", "op", "--role", "admin"];
    let weak = dormwatt(dir.path(), &add, &environment, "short\n");
    assert_eq!(weak.status.code(), Some(1));
    assert!(String::from_utf8(weak.stderr).unwrap().contains("8 characters"));
    assert!(dormwatt(dir.path(), &add, &environment, "correct horse battery\n").status.success());
    let again = dormwatt(dir.path(), &add, &environment, "correct horse battery\n");
    assert!(String::from_utf8(again.stderr).unwrap().contains("taken"));
    let proof = dormwatt(dir.path(), &["verify", "--trial-balance", "--at", "2026-11-30"], &environment, "");
    assert!(proof.status.success());
    let said = String::from_utf8(proof.stdout).unwrap();
    assert!(said.contains("1 audit lines") && said.contains("2026-11-30 23:59:59"), "{said}");
    assert!(!dormwatt(dir.path(), &["verify", "--trial-balance", "--at", "soon"], &environment, "").status.success());
}

#[test]
fn audit_key_anchors_and_digest_are_used() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("audit.key"), format!("{}\n", "5a".repeat(32))).unwrap();
    let database = ("DORMWATT_DATABASE__URL", "sqlite:t.db");
    let keyed = [database, ("DORMWATT_AUDIT__KEY_FILE", "audit.key"), ("DORMWATT_AUDIT__ANCHOR_FILE", "anchors.txt")];
    let add = ["admin", "create-user", "--login", "op", "--role", "admin"];
    assert!(dormwatt(dir.path(), &add, &keyed, "correct horse battery\n").status.success());
    let proof = dormwatt(dir.path(), &["verify"], &keyed, "");
    let said = String::from_utf8(proof.stdout).unwrap();
    assert!(proof.status.success() && said.contains("0 anchors") && !said.contains("No audit.key_file"), "{said}");
    let proof = dormwatt(dir.path(), &["verify"], &[database], "");
    let said = String::from_utf8(proof.stdout).unwrap();
    assert!(!proof.status.success() && said.contains("audit chain: line 1") && said.contains("No audit.key_file"), "{said}");
    let said = error_output(dir.path(), &["serve"], &[database, ("DORMWATT_SERVER__ADDRESS", "127.0.0.1:0")], 2);
    assert!(said.contains("audit.key_file"), "{said}");

    let digest = dormwatt(dir.path(), &["audit", "digest", "--day", "2099-01-01"], &keyed, "");
    let said = String::from_utf8(digest.stdout).unwrap();
    assert!(said.contains("lines up to 1") && said.lines().count() == 4, "{said}");
    // The line that was printed is the one that an anchor names; another is missing.
    let hash: String = said.lines().skip(2).collect::<String>().split_whitespace().collect();
    let anchors = dir.path().join("anchors.txt");
    std::fs::write(&anchors, format!("2026-11-29 01:00:00 1 {hash}\n")).unwrap();
    assert!(dormwatt(dir.path(), &["verify"], &keyed, "").status.success());
    std::fs::write(&anchors, format!("2026-11-29 01:00:00 1 {hash}\n2026-11-29 02:00:00 2 {hash}\n")).unwrap();
    let proof = dormwatt(dir.path(), &["verify"], &keyed, "");
    let said = String::from_utf8(proof.stdout).unwrap();
    assert!(!proof.status.success() && said.contains("audit anchor: line 2"), "{said}");

    std::fs::write(dir.path().join("audit.key"), "5a5a").unwrap();
    let said = error_output(dir.path(), &["verify"], &keyed, 2);
    assert!(said.contains("audit.key_file") && said.contains("audit.key") && !said.contains("5a5a"), "{said}");
}

#[test]
fn operators_are_managed_by_command() {
    let dir = tempfile::tempdir().unwrap();
    let environment = [("DORMWATT_DATABASE__URL", "sqlite:t.db")];
    let add = ["admin", "create-user", "--login", "boss", "--role", "admin"];
    assert!(dormwatt(dir.path(), &add, &environment, "correct horse battery staple\n").status.success());
    let admin = |arguments: &[&str]| {
        let output = dormwatt(dir.path(), &[&["admin"], arguments].concat(), &environment, "");
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let invite = ["invite", "--login", "op", "--name", "Op", "--role", "cashier", "--all-buildings"];
    let (succeeded, said) = admin(&invite);
    assert!(succeeded && said.contains("/invitations/"), "{said}");
    assert!(!admin(&invite).0, "the login name is taken");
    assert!(!admin(&["invite", "--login", "x", "--role", "king"]).0);
    let (_, listed) = admin(&["list"]);
    assert!(listed.lines().count() == 2 && listed.contains("boss") && listed.contains("op"), "{listed}");
    let (succeeded, said) = admin(&["disable", "--login", "boss"]);
    assert!(!succeeded && said.contains("must remain"), "{said}");
    assert!(admin(&["set-role", "--login", "op", "--role", "auditor"]).0);
    assert!(admin(&["disable", "--login", "op"]).0 && admin(&["enable", "--login", "op"]).0);
    assert!(admin(&["end-sessions", "--login", "op"]).0);
    let (succeeded, said) = admin(&["reset", "--login", "op"]);
    assert!(succeeded && said.contains("/invitations/"), "{said}");
    assert!(!admin(&["reset", "--login", "nobody"]).0);
}

#[test]
fn help_lists_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let help = String::from_utf8(dormwatt(dir.path(), &["--help"], &[], "").stdout).unwrap();
    for command in ["serve", "migrate", "verify", "check", "admin"] {
        assert!(help.contains(command), "{help}");
    }
    assert_eq!(dormwatt(dir.path(), &["fly"], &[], "").status.code(), Some(2));
}

#[test]
fn a_meter_profile_can_be_tried_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let good = include_str!("../../crates/meters/profiles/hiking-dds238.toml");
    std::fs::write(dir.path().join("mine.toml"), good).unwrap();
    let output = dormwatt(dir.path(), &["check", "--profile", "mine.toml"], &[], "");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    for line in [
        "reads 1 holding registers from 0x001A",
        "reads 17 holding registers from 0x0000",
        "not known: any serial number",
        "profile: good",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }

    let bad = good.replace("close = [1]", "close = [0]").replace("0x0010, type", "0x0012, type");
    std::fs::write(dir.path().join("mine.toml"), &bad).unwrap();
    let line = |key: &str| 1 + bad.lines().position(|line| line.contains(key)).unwrap();
    let said = error_output(dir.path(), &["check", "--profile", "mine.toml"], &[], 1);
    assert!(
        said.contains(&format!("mine.toml, line {}: relay.close: must not be the same as open", line("close = ["))),
        "{said}"
    );
    assert!(said.contains(&format!("mine.toml, line {}: block[0].values[6].address:", line("power_factor"))), "{said}");

    // The server does not start with it, and says the same.
    let environment = [("DORMWATT_METERS__PROFILES_DIR", "."), ("DORMWATT_SERVER__ADDRESS", "127.0.0.1:0")];
    for command in ["check", "serve"] {
        let said = error_output(dir.path(), &[command], &environment, 1);
        assert!(said.contains("mine.toml, line"), "{said}");
    }
}

#[test]
fn check_lists_the_channels_or_names_the_wrong_key() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/payments/src/alipay/vectors");
    let alipay = format!(
        "[database]\nurl = \"sqlite:t.db\"\n[pay]\npublic_url = \"https://power.example\"\n[pay.alipay]\n\
         app_id = \"2021000000000001\"\n\
         seller_id = \"2088000000000001\"\nprivate_key_file = \"{vectors}/app-pkcs1.pem\"\n\
         alipay_public_key_file = \"{vectors}/gateway-public.pem\"\n"
    );
    let file = dir.path().join("mine.toml");
    std::fs::write(&file, &alipay).unwrap();
    let said = dormwatt(dir.path(), &["check", "--config", "mine.toml"], &[], "");
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("payment channel: alipay for 2088000000000001"), "{said}");
    std::fs::write(&file, format!("{alipay}[pay.unionpay]\nmer_id = \"777\"\n")).unwrap();
    let output = dormwatt(dir.path(), &["check", "--config", "mine.toml"], &[], "");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.code() == Some(1) && said.contains("unionpay takes no payments, because pay.unionpay.mer_id"),
        "{said}"
    );
    assert!(said.contains("payment channel: alipay for 2088000000000001"), "the other one works: {said}");
    // Also a key that does not exist.
    std::fs::write(&file, format!("{alipay}[pay.unionpay]\nmerid = \"777\"\n")).unwrap();
    let output = dormwatt(dir.path(), &["check", "--config", "mine.toml"], &[], "");
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = "unionpay takes no payments, because pay.unionpay.merid in mine.toml: there is no such key";
    assert!(output.status.code() == Some(1) && said.contains(expected), "{said}");
    assert!(said.contains("payment channel: alipay for 2088000000000001"), "{said}");
}

#[test]
fn a_site_is_made_from_the_template_by_command() {
    let dir = tempfile::tempdir().unwrap();
    let environment = [("DORMWATT_DATABASE__URL", "sqlite:t.db")];
    let run = |arguments: &[&str], input: &str| {
        let output = dormwatt(dir.path(), arguments, &environment, input);
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&["template", "site.xlsx"], "").0, Some(0));
    let (code, said) = run(&["template", "site.xlsx"], "");
    assert!(code == Some(1) && said.contains("site.xlsx"), "a file is never overwritten: {said}");
    let (code, said) = run(&["import", "site.xlsx", "--by", "boss"], "");
    assert!(code == Some(1) && said.contains("no operator logs in as boss"), "{said}");
    run(&["admin", "create-user", "--login", "boss", "--role", "admin"], "a good password\n");
    let (code, said) = run(&["import", "site.xlsx", "--by", "boss", "--dry-run"], "");
    assert!(code == Some(0) && said.contains("Meters: 1 new") && said.contains("nothing was stored"), "{said}");
    let (code, said) = run(&["import", "site.xlsx", "--by", "boss"], "");
    assert!(code == Some(0) && said.contains("Imported."), "{said}");
    let (code, said) = run(&["import", "site.xlsx", "--by", "boss", "--lang", "zh"], "");
    assert!(code == Some(0) && said.contains("电表: 新增 0，更新 0，不变 1") && said.contains("没有任何变化"), "{said}");
    assert_eq!(run(&["export", "again.xlsx"], "").0, Some(0));
    let (code, said) = run(&["import", "again.xlsx", "--by", "boss", "--dry-run"], "");
    assert!(code == Some(0) && said.contains("Accounts: 0 new, 0 changed, 1 unchanged"), "{said}");
    std::fs::write(dir.path().join("meters.csv"), "Serial number,Unit id\n1,1\n").unwrap();
    let (code, said) = run(&["import", "meters.csv", "--by", "boss"], "");
    assert!(code == Some(1) && said.contains("“Building” is missing") && said.contains("Nothing was stored."), "{said}");
    let (code, said) = run(&["admin", "reset-password", "--login", "zhangsan"], "another password\n");
    assert!(code == Some(0) && said.contains("earlier sessions are ended"), "{said}");
    let (code, said) = run(&["admin", "reset-password", "--login", "nobody"], "another password\n");
    assert!(code == Some(1) && said.contains("nobody logs in as nobody"), "{said}");
    let (code, said) = run(&["verify"], "");
    assert!(code == Some(0) && said.contains("Everything agrees."), "{said}");
}

#[test]
fn a_command_with_another_audit_key_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("audit.key"), "0a".repeat(32)).unwrap();
    let keyed = [("DORMWATT_DATABASE__URL", "sqlite:t.db"), ("DORMWATT_AUDIT__KEY_FILE", "audit.key")];
    let run = |arguments: &[&str], environment: &[(&str, &str)], input: &str| {
        let output = dormwatt(dir.path(), arguments, environment, input);
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let add = |login: &'static str| ["admin", "create-user", "--login", login, "--role", "admin"];
    let (code, said) = run(&add("boss"), &keyed, "a good password\n");
    assert_eq!(code, Some(0), "{said}");
    for arguments in [&add("thief")[..], &["admin", "reset-password", "--login", "boss"], &["migrate"]] {
        let (code, said) = run(arguments, &keyed[..1], "a good password\n");
        assert!(code != Some(0) && said.contains("audit.key_file"), "{arguments:?}: {said}");
    }
    let (code, said) = run(&["verify"], &keyed, "");
    assert!(code == Some(0) && said.contains("Everything agrees."), "{said}");
}

#[test]
fn no_database_is_not_verified_and_none_is_made() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["verify"][..], &["export", "site.xlsx"]] {
        let output = dormwatt(dir.path(), arguments, &[("DORMWATT_DATABASE__URL", "sqlite:mistyped.db")], "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() != Some(0) && said.contains("mistyped.db"), "{said}");
    }
    assert!(!dir.path().join("mistyped.db").exists());
}
