//! Who may do what, to whom, and why (人员、权限与登录): officers, roles by region, purposes, sessions, keys of programs, masking.
//!
//! Guarantees: every permission stands in one table ([`TABLE`]); a role holds only inside its region; a revoked role,
//! a disabled account or an ended session is refused at the very next request; secrets come from the operating system,
//! never from the seeded identifiers; a password is stored only as argon2id.
//! Deliberately absent: pages, cookies and anything that knows a case, a household or a payment.
//!
//! Reading order: [`role`], [`permission`], [`actor`], [`may`](mod@may), [`mask`], [`officer`], [`password`],
//! [`sign_in`](mod@sign_in), [`second_factor`], [`prove_again`](mod@prove_again), [`session`], [`api_key`], [`asked_once`],
//! [`secret`], [`preference`], [`export`], [`saved_filter`], [`tables`].
//!
//! ```
//! assert_eq!(access::mask_name("张芳"), "张*");
//! assert_eq!(access::mask_phone("13812345678"), "138****5678");
//! ```

pub mod actor;
pub mod api_key;
pub mod asked_once;
pub mod export;
pub mod mask;
pub mod may;
pub mod officer;
pub mod password;
pub mod permission;
pub mod preference;
pub mod prove_again;
pub mod role;
pub mod saved_filter;
pub mod second_factor;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod tables;

pub use actor::{Actor, Purpose, Scope};
pub use mask::{mask_account, mask_id, mask_name, mask_phone};
pub use may::{Denied, SamePerson, another_officer, may};
pub use officer::{
    NewOfficer, Officer, create_officer, disable_officer, enable_officer, grant_role, revoke_role,
    set_password,
};
pub use password::{PasswordCost, PasswordPolicy};
pub use permission::{Again, Permission, TABLE};
pub use prove_again::{is_fresh, prove_again};
pub use role::{NotARole, Role};
pub use session::{Session, Signed};
pub use sign_in::{Door, sign_in};
pub use tables::{MIGRATIONS, migrations};
