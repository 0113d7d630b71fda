//! The document around every page, and the routes.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};

use crate::i18n::{auth, common, lang};
use crate::pages::auth::code::CodePage;
use crate::pages::auth::invitation::InvitationPage;
use crate::pages::auth::join::JoinPage;
use crate::pages::auth::login::LoginPage;
use crate::pages::auth::password::PasswordPage;
use crate::pages::auth::phone::{PhoneCodePage, PhonePage};
use crate::pages::auth::second_factor::{RecoveryCodesPage, SecondFactorPage};
use crate::pages::auth::setup::SetupPage;
use crate::pages::auth::wechat::WechatReturnPage;
use crate::pages::error::ErrorPage;
use crate::pages::offline::OfflinePage;
use crate::pages::operator::invoices;
use crate::pages::pay_link::{LinkOrderPage, PayLinkPage};
use crate::pages::{kiosk, operator, resident};
use crate::ports::{self, Role};
use model::error::AppError;

/// The files that documents link to; found once when the server starts.
#[derive(Clone, Debug)]
pub struct Site {
    /// The address of the WebAssembly bundle without `.js` and `_bg.wasm`. Pages work without a bundle.
    pub bundle: Option<String>,
    /// The address of the stylesheet.
    pub stylesheet: Option<String>,
    /// Payments are only tried out: every page says so.
    pub is_trial: bool,
}

/// The document of a page, which the routes choose.
pub fn shell(site: Site) -> impl IntoView {
    document(site, view! { <App/> }.into_any())
}

/// The document of an error page.
pub fn failure(site: Site, error: AppError) -> impl IntoView {
    provide_meta_context();
    document(site, view! { <ErrorPage error/> }.into_any())
}

fn document(site: Site, body: AnyView) -> impl IntoView {
    let theme = ports::visit().theme;
    let who = ports::anyone().ok();
    let is_resident = who.as_ref().is_none_or(|who| who.role == Role::Resident);
    let person = who.map(|who| who.user.to_string());
    view! {
        <!DOCTYPE html>
        <html lang=lang().tag() data-theme=theme.word()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content=theme.scheme()/>
                <meta name="theme-color" content="#FBFBF9" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#0F1214" media="(prefers-color-scheme: dark)"/>
                <meta name="format-detection" content="telephone=no"/>
                <link rel="icon" href="/icon.svg" type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/icon-192.png"/>
                <link rel="manifest" href=format!("/manifest.{}.webmanifest", lang().tag())/>
                {site.stylesheet.map(|href| view! { <link rel="stylesheet" href=href nonce=use_nonce()/> })}
                {person.map(|person| view! { <meta name="person" content=person/> })}
                <meta name="form-restored" content=auth::texts(lang()).form_restored/>
                <script type="module" nonce=use_nonce()>{include_str!("live.js")}</script>
                <script type="module" nonce=use_nonce()>{include_str!("forms.js")}</script>
                <script type="module" nonce=use_nonce()>{include_str!("unsaved.js")}</script>
                {is_resident.then(|| view! { <script type="module" nonce=use_nonce()>{include_str!("installed.js")}</script> })}
                {site.bundle.map(|bundle| view! { <script type="module" nonce=use_nonce()>{loader(&bundle)}</script> })}
                <MetaTags/>
            </head>
            <body>
                {site.is_trial.then(|| view! { <p class="trial" role="note">{common::texts(lang()).trial}</p> })}
                {body}
            </body>
        </html>
    }
}

fn loader(bundle: &str) -> String {
    format!("{}({:?}, {:?})", include_str!("islands.js").trim_end(), format!("{bundle}.js"), format!("{bundle}_bg.wasm"))
}

/// The routes: flat, and rendered completely before the first byte is sent, so that pages can set status, cookies and redirects.
/// Each route has a line in `access::PAGES`; a test compares the two.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <FlatRoutes fallback=|| view! { <ErrorPage error=AppError::NotFound/> }>
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async/>
                <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async/>
                <Route path=path!("/offline") view=OfflinePage ssr=SsrMode::Async/>
                <Route path=path!("/invitations/:code") view=InvitationPage ssr=SsrMode::Async/>
                <Route path=path!("/join/:code") view=JoinPage ssr=SsrMode::Async/>
                <Route path=path!("/p/:link") view=PayLinkPage ssr=SsrMode::Async/>
                <Route path=path!("/p/:link/:order") view=LinkOrderPage ssr=SsrMode::Async/>
                <Route path=path!("/login/code") view=CodePage ssr=SsrMode::Async/>
                <Route path=path!("/login/phone") view=PhonePage ssr=SsrMode::Async/>
                <Route path=path!("/login/phone/code") view=PhoneCodePage ssr=SsrMode::Async/>
                <Route path=path!("/login/wechat") view=WechatReturnPage ssr=SsrMode::Async/>
                <Route path=path!("/password") view=PasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/password/second-factor") view=SecondFactorPage ssr=SsrMode::Async/>
                <Route path=path!("/password/recovery-codes") view=RecoveryCodesPage ssr=SsrMode::Async/>
                <Route path=path!("/home") view=resident::home::HomePage ssr=SsrMode::Async/>
                <Route path=path!("/usage") view=resident::usage::UsePage ssr=SsrMode::Async/>
                <Route path=path!("/usage/days/:day") view=resident::day_cost::DayCostPage ssr=SsrMode::Async/>
                <Route path=path!("/topup") view=resident::topup::TopUpPage ssr=SsrMode::Async/>
                <Route path=path!("/topup/other") view=resident::other_room::OtherRoomPage ssr=SsrMode::Async/>
                <Route path=path!("/orders/:id") view=resident::order::OrderPage ssr=SsrMode::Async/>
                <Route path=path!("/orders/:id/pay") view=resident::cashier::CashierPage ssr=SsrMode::Async/>
                <Route path=path!("/orders/:id/receipt") view=resident::receipt::ReceiptPage ssr=SsrMode::Async/>
                <Route path=path!("/emergency-credit") view=resident::emergency_credit::EmergencyCreditPage ssr=SsrMode::Async/>
                <Route path=path!("/switch") view=resident::switch::SwitchPage ssr=SsrMode::Async/>
                <Route path=path!("/switch/:id") view=resident::switching::SwitchingPage ssr=SsrMode::Async/>
                <Route path=path!("/records") view=resident::records::RecordsPage ssr=SsrMode::Async/>
                <Route path=path!("/me/alerts") view=resident::alerts::AlertsPage ssr=SsrMode::Async/>
                <Route path=path!("/me/data") view=resident::personal_data::DataPage ssr=SsrMode::Async/>
                <Route path=path!("/me/roommates") view=resident::roommates::RoommatesPage ssr=SsrMode::Async/>
                <Route path=path!("/me/split") view=resident::split::SplitPage ssr=SsrMode::Async/>
                <Route path=path!("/me/tokens") view=resident::tokens::TokensPage ssr=SsrMode::Async/>
                <Route path=path!("/me/kiosk") view=kiosk::code::CodePage ssr=SsrMode::Async/>
                <Route path=path!("/me/wechat") view=resident::wechat::WechatPage ssr=SsrMode::Async/>
                <Route path=path!("/kiosk") view=kiosk::screen::ScreenPage ssr=SsrMode::Async/>
                <Route path=path!("/kiosk/setup/:code") view=kiosk::setup::SetupPage ssr=SsrMode::Async/>
                <Route path=path!("/kiosk/confirm") view=kiosk::confirm::ConfirmPage ssr=SsrMode::Async/>
                <Route path=path!("/kiosks") view=operator::kiosks::KiosksPage ssr=SsrMode::Async/>
                <Route path=path!("/tasks") view=operator::tasks::TasksPage ssr=SsrMode::Async/>
                <Route path=path!("/me") view=resident::me::MePage ssr=SsrMode::Async/>
                <Route path=path!("/help") view=resident::help::HelpPage ssr=SsrMode::Async/>
                <Route path=path!("/help/api") view=resident::api_help::ApiHelpPage ssr=SsrMode::Async/>
                <Route path=path!("/wall") view=operator::wall::WallPage ssr=SsrMode::Async/>
                <Route path=path!("/search") view=operator::search::SearchPage ssr=SsrMode::Async/>
                <Route path=path!("/rooms/:meter") view=operator::room::RoomPage ssr=SsrMode::Async/>
                <Route path=path!("/rooms/:meter/price") view=operator::room::price::PriceNowPage ssr=SsrMode::Async/>
                <Route path=path!("/rooms/:meter/resident-link") view=operator::room::resident_link::ResidentLinkPage
                    ssr=SsrMode::Async/>
                <Route path=path!("/rooms/:meter/days/:day") view=operator::room::day_cost::DayCostPage ssr=SsrMode::Async/>
                <Route path=path!("/accounts") view=operator::accounts::AccountsPage ssr=SsrMode::Async/>
                <Route path=path!("/accounts/numbers") view=operator::account_numbers::NumberSchemePage ssr=SsrMode::Async/>
                <Route path=path!("/accounts/open-many") view=operator::account_batches::open::OpenManyPage ssr=SsrMode::Async/>
                <Route path=path!("/accounts/close-many") view=operator::account_batches::close::CloseManyPage
                    ssr=SsrMode::Async/>
                <Route path=path!("/accounts/batches") view=operator::account_batches::BatchesPage ssr=SsrMode::Async/>
                <Route path=path!("/accounts/batches/:id") view=operator::account_batches::batch::AccountBatchPage
                    ssr=SsrMode::Async/>
                <Route path=path!("/closings/:id") view=operator::closing::ClosingPage ssr=SsrMode::Async/>
                <Route path=path!("/overdrawn") view=operator::overdrawn::OverdrawnPage ssr=SsrMode::Async/>
                <Route path=path!("/sales") view=operator::register::RegisterPage ssr=SsrMode::Async/>
                <Route path=path!("/sales/:order") view=operator::cash_desk::order::OrderPage ssr=SsrMode::Async/>
                <Route path=path!("/returns/:id") view=operator::cash_desk::returned::ReturnPage ssr=SsrMode::Async/>
                <Route path=path!("/corrections/:original") view=operator::cash_desk::correction::CorrectionPage
                    ssr=SsrMode::Async/>
                <Route path=path!("/approvals") view=operator::cash_desk::approvals::ApprovalsPage ssr=SsrMode::Async/>
                <Route path=path!("/refunds") view=operator::cash_desk::refunds::RefundsPage ssr=SsrMode::Async/>
                <Route path=path!("/refunds/:id") view=operator::cash_desk::refund::RefundPage ssr=SsrMode::Async/>
                <Route path=path!("/refunds/of/:order") view=operator::cash_desk::order_money::OrderMoneyPage ssr=SsrMode::Async/>
                <Route path=path!("/ledger") view=operator::cash_desk::ledger::LedgerPage ssr=SsrMode::Async/>
                <Route path=path!("/subsidies") view=operator::cash_desk::subsidies::SubsidiesPage ssr=SsrMode::Async/>
                <Route path=path!("/channels") view=operator::channels::ChannelsPage ssr=SsrMode::Async/>
                <Route path=path!("/reconcile") view=operator::reconcile::calendar::CalendarPage ssr=SsrMode::Async/>
                <Route path=path!("/reconcile/:channel/:day") view=operator::reconcile::day::DayPage ssr=SsrMode::Async/>
                <Route path=path!("/shifts") view=operator::cash_desk::shifts::ShiftsPage ssr=SsrMode::Async/>
                <Route path=path!("/shifts/:id") view=operator::cash_desk::shift::ShiftPage ssr=SsrMode::Async/>
                <Route path=path!("/receipts/:number") view=operator::cash_desk::receipt::ReceiptPage ssr=SsrMode::Async/>
                <Route path=path!("/invoices") view=invoices::InvoicesPage ssr=SsrMode::Async/>
                <Route path=path!("/invoices/settings") view=invoices::settings::InvoiceSettingsPage ssr=SsrMode::Async/>
                <Route path=path!("/invoices/buyer/:meter") view=invoices::buyer::InvoiceBuyerPage ssr=SsrMode::Async/>
                <Route path=path!("/invoices/:id") view=invoices::batch::InvoiceBatchPage ssr=SsrMode::Async/>
                <Route path=path!("/prints") view=operator::printing::jobs::PrintsPage ssr=SsrMode::Async/>
                <Route path=path!("/printing") view=operator::printing::PrintingPage ssr=SsrMode::Async/>
                <Route path=path!("/printing/layout") view=operator::printing::layout::LayoutPage ssr=SsrMode::Async/>
                <Route path=path!("/meters") view=operator::meters::MetersPage ssr=SsrMode::Async/>
                <Route path=path!("/meters/new") view=operator::meter_setup::NewMeterPage ssr=SsrMode::Async/>
                <Route path=path!("/meters/:id/edit") view=operator::meter_setup::EditMeterPage ssr=SsrMode::Async/>
                <Route path=path!("/meters/:id/readings") view=operator::history::HistoryPage ssr=SsrMode::Async/>
                <Route path=path!("/meters/:id/commissioning") view=operator::commissioning::CommissioningPage
                    ssr=SsrMode::Async/>
                <Route path=path!("/commissioning") view=operator::commissioning::UnacceptedPage ssr=SsrMode::Async/>
                <Route path=path!("/gateways") view=operator::gateways::GatewaysPage ssr=SsrMode::Async/>
                <Route path=path!("/gateways/new") view=operator::gateways::form::NewGatewayPage ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id") view=operator::gateways::gateway::GatewayPage ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id/scan") view=operator::gateways::scan::ScanPage ssr=SsrMode::Async/>
                <Route path=path!("/instruments") view=operator::instruments::InstrumentsPage ssr=SsrMode::Async/>
                <Route path=path!("/instruments/new") view=operator::instruments::form::NewInstrumentPage ssr=SsrMode::Async/>
                <Route path=path!("/instruments/:id") view=operator::instruments::instrument::InstrumentPage ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id/edit") view=operator::gateways::form::EditGatewayPage ssr=SsrMode::Async/>
                <Route path=path!("/alarms") view=operator::alarms::AlarmsPage ssr=SsrMode::Async/>
                <Route path=path!("/alarms/rules") view=operator::alarms::rules::AlarmRulesPage ssr=SsrMode::Async/>
                <Route path=path!("/alarms/silences") view=operator::alarms::silences::SilencesPage ssr=SsrMode::Async/>
                <Route path=path!("/alarms/:id") view=operator::alarms::alarm::AlarmPage ssr=SsrMode::Async/>
                <Route path=path!("/messages") view=operator::messages::MessagesPage ssr=SsrMode::Async/>
                <Route path=path!("/messages/texts") view=operator::message_texts::MessageTextsPage ssr=SsrMode::Async/>
                <Route path=path!("/messages/texts/:kind") view=operator::message_texts::MessageTextPage ssr=SsrMode::Async/>
                <Route path=path!("/my-alerts") view=operator::own_alerts::OwnAlertsPage ssr=SsrMode::Async/>
                <Route path=path!("/reports") view=operator::reports::ReportsPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/saved") view=operator::reports::saved::SavedReportsPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/sales") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/statement") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/building-statement") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/liability") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/subsidies") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/prices") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/open-cases") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/energy") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/load-curve") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/abnormal-use") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/missing-readings") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/instruments") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/lost-meters") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/lost-gateways") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/reports/alarms") view=operator::reports::ReportPage ssr=SsrMode::Async/>
                <Route path=path!("/commands") view=operator::commands::CommandsPage ssr=SsrMode::Async/>
                <Route path=path!("/commands/new") view=operator::commands::new::NewCommandPage ssr=SsrMode::Async/>
                <Route path=path!("/commands/preview") view=operator::commands::preview::PreviewPage ssr=SsrMode::Async/>
                <Route path=path!("/commands/missed-price-switches")
                    view=operator::commands::missed_price_switch::MissedPriceSwitchPage ssr=SsrMode::Async/>
                <Route path=path!("/commands/:batch") view=operator::commands::batch::BatchPage ssr=SsrMode::Async/>
                <Route path=path!("/places") view=operator::places::PlacesPage ssr=SsrMode::Async/>
                <Route path=path!("/places/groups") view=operator::places::groups::GroupsPage ssr=SsrMode::Async/>
                <Route path=path!("/places/groups/:id") view=operator::places::group::GroupPage ssr=SsrMode::Async/>
                <Route path=path!("/places/:id") view=operator::places::place::PlacePage ssr=SsrMode::Async/>
                <Route path=path!("/prices") view=operator::prices::PricesPage ssr=SsrMode::Async/>
                <Route path=path!("/prices/new") view=operator::prices::form::NewPricesPage ssr=SsrMode::Async/>
                <Route path=path!("/prices/preview") view=operator::prices::preview::PricesPreviewPage ssr=SsrMode::Async/>
                <Route path=path!("/prices/:id") view=operator::prices::plan::PricePlanPage ssr=SsrMode::Async/>
                <Route path=path!("/prices/:id/meters") view=operator::prices::meters::PriceMetersPage ssr=SsrMode::Async/>
                <Route path=path!("/cases") view=operator::cases::CasesPage ssr=SsrMode::Async/>
                <Route path=path!("/cases/:id") view=operator::case::CasePage ssr=SsrMode::Async/>
                <Route path=path!("/audit") view=operator::audit::AuditPage ssr=SsrMode::Async/>
                <Route path=path!("/exports") view=operator::exports::ExportsPage ssr=SsrMode::Async/>
                <Route path=path!("/import") view=operator::import::ImportPage ssr=SsrMode::Async/>
                <Route path=path!("/settings/friendly-hours") view=operator::friendly_hours::FriendlyHoursPage
                    ssr=SsrMode::Async/>
                <Route path=path!("/settings") view=operator::settings::SettingsPage ssr=SsrMode::Async/>
                <Route path=path!("/start") view=operator::start::StartPage ssr=SsrMode::Async/>
                <Route path=path!("/operators") view=operator::operators::OperatorsPage ssr=SsrMode::Async/>
                <Route path=path!("/operators/new") view=operator::operators::InvitePage ssr=SsrMode::Async/>
                <Route path=path!("/operators/:id") view=operator::operators::one::OperatorPage ssr=SsrMode::Async/>
                <Route path=path!("/operators/:id/link") view=operator::operators::LinkPage ssr=SsrMode::Async/>
                <Route path=path!("/roles") view=operator::operators::roles::RolesPage ssr=SsrMode::Async/>
                <Route path=path!("/roles/:id") view=operator::operators::roles::RolePage ssr=SsrMode::Async/>
                <Route path=path!("/guide") view=operator::guide::GuidePage ssr=SsrMode::Async/>
            </FlatRoutes>
        </Router>
    }
}
