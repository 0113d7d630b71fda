//! Log lines name a meter by its room and serial number, and a foreign serial number is a warning once; on both databases.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use estate::places::{self, NewPlace};
use model::ids::PlaceId;
use model::place::PlaceKind;
use story_support::site::{SOON, Site, until};
use story_support::{World, bind, both};

/// The server that polls the site.
struct Server(Child);

impl Server {
    fn start(s: &Site, directory: &Path) -> Self {
        let config = directory.join("dormwatt.toml");
        let text = format!(
            "[server]\naddress = \"127.0.0.1:0\"\n[database]\nurl = \"{}\"\n
             [meters]\nsweep_interval_ms = 0\nrequest_timeout_ms = 250\nbaud = 0\nprobe_cap_ms = 500\ncommand_cap_ms = 500\n
             [keys]\nenc = \"{}\"\nmac = \"{}\"\naes = \"{}\"\n",
            s.w.url,
            "11".repeat(16),
            "22".repeat(16),
            "33".repeat(32),
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_dormwatt"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(File::create(directory.join("log")).unwrap())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

both!(log_lines_name_the_room_and_a_foreign_serial_once, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let building = PlaceId(s.w.rng.id(SystemClock.now()));
    let mut tx = s.w.db.begin().await.unwrap();
    let new = NewPlace { id: building, parent: None, kind: PlaceKind::Building, name: "7号楼", sort: 0 };
    places::add(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    bind(&s.w.db, "UPDATE places SET parent_id = $1, name = '301' WHERE kind = 'room'", building.0, &[]).await;
    let own = s.view(0, 1).serial.to_string();
    s.w.execute("UPDATE meters SET serial = '9' || SUBSTR(serial, 2)").await;
    let order = s.sell(0, 1_000).await;
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&s, directory.path());
    let log = || std::fs::read_to_string(directory.path().join("log")).unwrap();
    let open = "SELECT COUNT(*) FROM cases WHERE kind = 'identity' AND closed_at IS NULL";
    until(SOON, "the case", || async { s.w.number(open).await == 1 }).await;
    // It is asked again twice a second.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    drop(server);
    let said = log();
    let warnings: Vec<&str> = said.lines().filter(|line| line.contains("WARN") && line.contains(&own)).collect();
    assert_eq!(warnings.len(), 1, "{said}");
    assert!(warnings[0].contains("7号楼 301"), "{said}");
    s.w.execute("UPDATE meters SET serial = '2' || SUBSTR(serial, 2)").await;
    let server = Server::start(&s, directory.path());
    until(SOON, "the delivery", || async { s.order(&order).await.count == Some(1) }).await;
    until(SOON, "the end of the case", || async { s.w.number(open).await == 0 }).await;
    drop(server);
    let (said, id) = (log(), s.meters[0].to_string());
    for line in said.lines().filter(|line| line.contains(&id)) {
        assert!(line.contains("7号楼 301") && line.contains(&own), "{line}");
    }
    let done = said.lines().find(|line| line.contains("delivery.done")).unwrap_or_else(|| panic!("{said}"));
    assert!(done.contains(&id) && done.contains(&order.number.to_string()), "{done}");
});
