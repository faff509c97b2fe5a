//! The public pages' shared furniture: layout, form fields, the home page and plain messages.
//! Called by every slice that shows pages; must not know any slice (slices build its views, not it theirs).

mod assets;
pub mod faults;
pub mod join_form;
pub mod layout;
pub mod pages;
#[cfg(test)]
pub(crate) mod soundness;

pub use assets::routes;
pub use join_form::{
    CustomField, FieldControl, GroupChoice, HiddenField, InvolvementChoice, JoinFormView, JoinFormWords,
    JoinValues, NoticeView,
};
pub use layout::{FieldError, LanguageLink, Site};
