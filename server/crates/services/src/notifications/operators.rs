//! The alerts that an operator gets personally.

use app::api::operator_alerts::{OperatorAlertsPort, OwnAlerts};
use async_trait::async_trait;
use model::error::AppError;
use model::language::Lang;
use model::notification::OperatorAlerts;
use model::person::Who;

use super::NotificationsService;
use store::notifications::{operator_alerts, set_operator_alerts};

#[async_trait]
impl OperatorAlertsPort for NotificationsService {
    async fn own_alerts(&self, who: &Who) -> Result<OwnAlerts, AppError> {
        let channels = self.personal_channels(who).await?;
        Ok(OwnAlerts { channels, alerts: operator_alerts(&self.context.db, who.user).await? })
    }

    async fn set_own_alerts(&self, who: &Who, alerts: &OperatorAlerts, lang: Lang) -> Result<(), AppError> {
        Ok(set_operator_alerts(&self.context.db, self.context.now(), who, alerts, lang).await?)
    }
}
