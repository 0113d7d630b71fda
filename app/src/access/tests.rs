use super::*;
use model::ids::{UserId, Uuid};
use model::permission::Permissions;
use model::report::ReportKind;

fn who(role: Role) -> Who {
    Who { user: UserId(Uuid::nil()), role, permissions: Permissions::of(role), name: String::new(), ip: String::new() }
}

#[test]
fn each_role_gets_only_its_own_access() {
    let check = |access: Access, role| access.check(Some(&who(role)));
    assert_eq!(Access::Operator.check(None), Err(AppError::NotLoggedIn));
    assert_eq!(check(Access::Operator, Role::Resident), Err(AppError::Forbidden));
    assert_eq!(check(Access::Operator, Role::Own), Ok(()));
    assert_eq!(check(Access::Resident, Role::Admin), Err(AppError::Forbidden));
    assert_eq!(check(Access::May(Permission::Site), Role::Manager), Err(AppError::Forbidden));
    assert_eq!(check(Access::May(Permission::Watch), Role::Manager), Ok(()));
    assert_eq!(check(Access::May(Permission::Watch), Role::Own), Err(AppError::Forbidden));
    assert_eq!(check(Access::May(Permission::Watch), Role::Resident), Err(AppError::Forbidden));
    assert_eq!(Access::Public.check(None), Ok(()));
    let both = Access::MayBoth(Permission::Cases, Permission::Money);
    assert_eq!([Role::Technician, Role::Manager].map(|role| check(both, role)), [Err(AppError::Forbidden), Ok(())]);
    for path in ["/api/operator/credit-payment", "/api/operator/deliver-order"] {
        assert!(!is_allowed(&who(Role::Technician), path), "{path}: cases alone do not move money");
    }
}

#[test]
fn only_log_in_is_public_in_its_area() {
    assert_eq!(function("/api/auth/log-in"), Some(Access::Public));
    assert_eq!(function("/api/auth/log-in-as"), Some(Access::Anyone));
    assert_eq!(function("/api/unlisted"), None);
}

#[test]
fn a_page_is_found_by_its_address() {
    assert_eq!(page("/shifts/019b"), Some(Access::May(Permission::Money)));
    assert_eq!(page("/commands/new?x=1"), Some(Access::May(Permission::Parameters)));
    assert_eq!(page("/shifts/1/2"), None);
}

#[test]
fn a_report_is_for_whoever_has_its_permission() {
    for kind in ReportKind::ALL {
        assert_eq!(page(&format!("/reports/{}", kind.as_str())), Some(Access::May(kind.permission())), "{kind:?}");
    }
}

#[test]
fn everybody_starts_on_a_page_they_may_open() {
    for role in Role::READY.into_iter().chain([Role::Resident]) {
        assert_eq!(start_page(&who(role)), start(role), "{role:?}");
    }
    assert_eq!(start_page(&who(Role::Own)), "/guide");
    let auditor = Who { permissions: [Permission::Audit].into_iter().collect(), ..who(Role::Own) };
    assert_eq!(start_page(&auditor), "/audit");
}
