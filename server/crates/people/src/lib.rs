//! What people keep themselves: second factors of their log-in; and of residents invitations, roommates, tokens for programs,
//! log-ins by WeChat, and their personal data. As in `store`, a business operation is one function and one transaction.

pub mod erasure;
pub mod invitations;
pub mod month_cost;
pub mod password_log_ins;
pub mod personal_data;
pub mod roommates;
pub mod second_factors;
pub mod tokens;
pub mod top_ups;
pub mod wechat_log_ins;
