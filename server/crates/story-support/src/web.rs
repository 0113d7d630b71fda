//! A real server on a free port, and people who use it.

use domain::clock::{Clock, SharedClock};
use domain::rng::Rng;
use domain::secret::Secret;
use domain::wall_layout::Scope;
use meters::live::Live;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, Response};
use server::config::Config;
use server::startup::{Application, StartError};
use services::auth::Passwords;
use store::operators::{self, Access, ChangedBy};
use store::roles::{self, RoleTerms};
use store::users::{self, NewUser};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::World;
use model::ids::UserId;
use model::operator::RoleChoice;
use model::permission::Permissions;
use model::person::Role;

pub const PASSWORD: &str = "correct horse battery";

/// The hash of [`PASSWORD`], made once for all people of a process: a hash takes as long as much else of a story.
pub async fn password_hash() -> &'static str {
    static HASH: OnceCell<String> = OnceCell::const_new();
    HASH.get_or_init(|| async { Passwords::new(Rng::from_system()).unwrap().hash(PASSWORD).await.unwrap() }).await
}

/// The server. Stops when dropped.
pub struct Web {
    pub base: String,
    pub client: reqwest::Client,
    live: Live,
    /// Of the set-up page, on a database without people.
    pub setup_token: Option<String>,
    stop: CancellationToken,
    pub running: tokio::task::JoinHandle<Result<(), StartError>>,
}

impl Web {
    pub async fn start(world: &World) -> Self {
        let mut config = Config::default();
        config.server.address.set_port(0);
        Self::with(world, config, world.clock.clone()).await
    }

    /// With this configuration and clock, on the world's database.
    pub async fn with(world: &World, mut config: Config, clock: SharedClock) -> Self {
        config.database.url = Secret::from(world.url.as_str());
        let application = Application::build(&config, clock, world.rng.clone()).await.unwrap();
        let base = format!("http://{}", application.address());
        let live = application.state().context.live.clone();
        let setup_token = application.setup_token().map(str::to_owned);
        let stop = CancellationToken::new();
        let running = tokio::spawn(application.run_until(stop.clone().cancelled_owned()));
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { base, client, live, setup_token, stop, running }
    }

    /// A person with a browser who has not logged in.
    pub fn visitor(&self) -> Person<'_> {
        Person { web: self, cookie: String::new(), html: true }
    }

    /// Adds a person of that role and logs them in.
    pub async fn person(&self, world: &World, role: Role, login: &str) -> Person<'_> {
        self.person_within(world, role, login, &Scope::All).await
    }

    /// The same, limited to buildings.
    pub async fn person_within(&self, world: &World, role: Role, login: &str, buildings: &Scope) -> Person<'_> {
        let user = NewUser { role, login, name: login, password_hash: password_hash().await, buildings };
        users::create(&world.db, &world.rng, world.clock.now(), &user, "test").await.unwrap();
        users::keep_passwords(&world.db).await.unwrap();
        let mut person = self.visitor();
        let answer = person.log_in(login, PASSWORD).await;
        assert_eq!(answer.status(), 303);
        person
    }

    /// Adds a person with a role of the site's own, limited to buildings, and logs them in.
    pub async fn person_with(&self, world: &World, login: &str, permissions: Permissions, buildings: &Scope) -> Person<'_> {
        let mut person = self.person_within(world, Role::ReadOnly, login, buildings).await;
        let (now, terms) = (world.clock.now(), RoleTerms { name: login, permissions });
        let role = roles::create(&world.db, &world.rng, now, ChangedBy::CommandLine, terms).await.unwrap();
        let user = UserId(users::by_login(&world.db, login).await.unwrap().unwrap().id);
        let access = Access { role: RoleChoice::Own(role), buildings };
        operators::set_access(&world.db, &world.rng, now, ChangedBy::CommandLine, user, access).await.unwrap();
        person.log_in(login, PASSWORD).await;
        person
    }

    /// The hub that its pollers publish to.
    pub fn live(&self) -> &Live {
        &self.live
    }

    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A person with a browser, or with a program where `html` is false.
#[derive(Clone)]
pub struct Person<'a> {
    web: &'a Web,
    pub cookie: String,
    pub html: bool,
}

impl Person<'_> {
    pub fn program(mut self) -> Self {
        self.html = false;
        self
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, "").await
    }

    pub async fn post(&self, path: &str, form: &str) -> Response {
        self.send(Method::POST, path, form).await
    }

    pub async fn send(&self, method: Method, path: &str, form: &str) -> Response {
        let mut request = self.web.client.request(method, format!("{}{path}", self.web.base)).header(COOKIE, &self.cookie);
        request = request.header(ACCEPT, if self.html { "text/html" } else { "application/json" });
        if !form.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.to_owned());
        }
        request.send().await.unwrap()
    }

    /// Logs in and keeps the cookie, as a browser would.
    pub async fn log_in(&mut self, login: &str, password: &str) -> Response {
        let form = format!("login={login}&password={}", password.replace(' ', "+"));
        let answer = self.post("/api/auth/log-in", &form).await;
        self.keep(&answer);
        answer
    }

    pub fn keep(&mut self, answer: &Response) {
        if let Some(cookie) = answer.headers().get(SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
    }
}

pub fn location(answer: &Response) -> &str {
    answer.headers().get(LOCATION).map_or("", |value| value.to_str().unwrap())
}

/// The value of the first field of this name on a page, as its HTML has it.
pub fn field<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no field {name}: {page}"));
    rest.split('"').next().unwrap()
}
