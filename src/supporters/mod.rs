//! Supporters: one person each, by e-mail identity; made by a confirmation, never by a stranger's form.
//!
//! Other slices change supporters only through the functions here, inside their own transactions.

mod chores;
mod contacts;
mod copied;
mod fields;
mod filter;
mod import;
mod links;
mod list;
mod listed;
mod model;
mod queries;
mod record;
pub(crate) mod routes;
mod segments;
mod standing;
mod status;
mod tags;

pub use chores::{fill_words, run_chores};
pub use contacts::{Contact, ContactField, ContactFields, for_each_contact};
pub use fields::{
    Field, FieldChange, FieldForm, FieldKind, FieldValue, FieldView, Fields, fields_of, give_fields,
    list_fields, read_all, set_fields,
};
pub use filter::{FilterFault, Matching, SearchWords, SupporterFilter, SupporterQuery, time_zone};
pub use import::{
    Filled, Known, Listed, ListedValue, fill_listed, insert_listed, known, survivors, update_listed,
};
pub use links::{Links, fresh_preferences_url, preferences_url, unsubscribe_url};
pub use list::{GroupContact, SupporterPage};
pub use listed::{fill_fields, lacking, tag_listed};
pub use model::{Confirmed, Profile, Supporter, SupporterView};
pub use queries::{
    confirm, delete, end_pauses, find, find_by_key, leave, raise_link_version, set_language, set_pause,
    set_profile, standings, suppress,
};
pub use record::{
    EditView, ExportedView, History, MailView, MergeForm, NoteForm, NoteView, NoticeView, RecordChange,
    RecordView, ShareView, SignupRecord, blank_signups, erase, find_linked, forget_signups,
};
pub use routes::api;
pub use segments::{SegmentForm, SegmentView, Segments};
pub use standing::Standing;
pub use status::Status;
pub use tags::{
    ApplyForm, OperationView, TagForm, TagView, ensure_tag, give_tag, resume as resume_tag_operation, tags_of,
};

pub(crate) use fields::routes as field_routes;
pub(crate) use record::routes as record_routes;
pub(crate) use segments::routes as segment_routes;
pub(crate) use tags::routes as tag_routes;
