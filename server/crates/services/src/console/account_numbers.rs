//! The scheme of account numbers.

use app::api::account_numbers::AccountNumbersPort;
use async_trait::async_trait;
use domain::account_number::NumberScheme;
use model::console::NumberSchemeView;
use model::error::AppError;
use model::person::Who;

use super::ConsoleService;
use store::account_numbers;

#[async_trait]
impl AccountNumbersPort for ConsoleService {
    async fn number_scheme(&self) -> Result<NumberSchemeView, AppError> {
        let (scheme, last) = account_numbers::find(&self.context.db).await?;
        let proposed = account_numbers::proposed(&self.context.db).await?;
        Ok(NumberSchemeView {
            prefix: scheme.as_ref().map(|scheme| scheme.prefix().to_owned()),
            check_digit: scheme.is_some_and(|scheme| scheme.has_check_digit()),
            next: last.saturating_add(1),
            proposed: proposed.map(|number| number.to_string()),
        })
    }

    async fn set_number_scheme(&self, who: &Who, scheme: Option<(&str, bool)>, next: u64) -> Result<(), AppError> {
        // Numbers are for all buildings.
        self.context.require_whole_site(who).await?;
        let scheme = scheme.map(|(prefix, check)| NumberScheme::new(prefix, check)).transpose()?;
        Ok(account_numbers::set(&self.context.db, self.context.now(), who, scheme.as_ref(), next).await?)
    }
}
