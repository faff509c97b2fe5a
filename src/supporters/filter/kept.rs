//! A query as it is kept, by segments and by operations that go on after a crash: a query string. What it names by slug
//! can be asked for, and a tag that is renamed is renamed in it.

use super::SupporterQuery;
use crate::{error::AppError, http::read_query};

impl SupporterQuery {
    /// As it is kept.
    ///
    /// # Errors
    /// Never, unless a type that cannot be written is added to it.
    pub(in crate::supporters) fn kept(&self) -> Result<String, AppError> {
        serde_html_form::to_string(self).map_err(|error| AppError::internal(&error))
    }

    /// Whether a condition names this tag.
    pub(in crate::supporters) fn names_tag(&self, slug: &str) -> bool {
        [&self.tag, &self.tag_all, &self.tag_none].into_iter().flatten().any(|tag| tag == slug)
    }

    /// Whether a condition names this custom field.
    pub(in crate::supporters) fn names_field(&self, slug: &str) -> bool {
        self.field.iter().any(|asked| asked.split_once('=').is_some_and(|(field, _)| field == slug))
    }
}

/// A kept query with a tag by its new name; nothing when it does not name the tag, or cannot be read.
pub(in crate::supporters) fn renamed(kept: &str, old: &str, new: &str) -> Result<Option<String>, AppError> {
    let Ok(mut query) = read_query::<SupporterQuery>(kept) else { return Ok(None) };
    if !query.names_tag(old) {
        return Ok(None);
    }
    for tag in [&mut query.tag, &mut query.tag_all, &mut query.tag_none].into_iter().flatten() {
        if tag == old {
            new.clone_into(tag);
        }
    }
    query.kept().map(Some)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_renamed_wherever_it_is_named_and_nothing_else_is() {
        let kept =
            "q=steel&tag=steel&tag=steel-2&tag_all=steel&tag_none=tin&field=union%3Dsteel&source=steel";
        let new = renamed(kept, "steel", "iron").unwrap().unwrap();
        let query: SupporterQuery = read_query(&new).unwrap();
        assert_eq!(
            (query.tag, query.tag_all),
            (vec!["iron".into(), "steel-2".into()], vec!["iron".to_owned()])
        );
        assert_eq!((query.tag_none, query.field), (vec!["tin".to_owned()], vec!["union=steel".to_owned()]));
        assert_eq!((query.q.as_deref(), query.source.as_deref()), (Some("steel"), Some("steel")));
        assert_eq!(renamed(kept, "stee", "iron").unwrap(), None);
        assert_eq!(renamed("no=filter", "steel", "iron").unwrap(), None);
        let query: SupporterQuery = read_query(kept).unwrap();
        assert!(query.names_field("union") && !query.names_field("unio") && query.names_tag("tin"));
    }
}
