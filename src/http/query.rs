//! [`Query`]: the query string as a type; unknown parameters are refused, so that a misspelt filter does not
//! silently give everybody. [`QueryOf`] divides it among two types, so that what several routes share (a filter, paging)
//! is written once. In a filter, a parameter without a value is refused too: it would give nobody, or everybody.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{
    Deserializer,
    de::{self, DeserializeOwned, Visitor},
};

use super::json::field_error;
use crate::error::{AppError, FieldError};

/// A query string that fits `T`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(pairs(request.query_string()).and_then(|pairs| read(&keyed(pairs))).map(Self))
    }
}

/// A query string whose parameters are each of `A` or of `B`. A parameter `name.key=value` is given to the field `name` as
/// `key=value`.
pub struct QueryOf<A, B>(pub A, pub B);

impl<A: DeserializeOwned, B: DeserializeOwned> FromRequest for QueryOf<A, B> {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = match pairs(request.query_string()).and_then(filled) {
            Ok(pairs) => keyed(pairs),
            Err(error) => return ready(Err(error)),
        };
        let names = field_names::<A>();
        let (first, second): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(name, _)| names.contains(&name.as_str()));
        ready(match (read(&first), read(&second)) {
            (Ok(first), Ok(second)) => Ok(Self(first, second)),
            (Err(AppError::Invalid(mut faults)), Err(AppError::Invalid(others))) => {
                faults.extend(others);
                Err(AppError::Invalid(faults))
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        })
    }
}

/// Reads a filter that is kept as a query string.
///
/// # Errors
/// The first parameter that does not fit, or each that has no value.
pub fn read_query<T: DeserializeOwned>(text: &str) -> Result<T, AppError> {
    read(&keyed(filled(pairs(text)?)?))
}

type Pairs = Vec<(String, String)>;

fn pairs(text: &str) -> Result<Pairs, AppError> {
    serde_html_form::from_str(text).map_err(|error| AppError::Invalid(vec![field_error("query", &error)]))
}

/// Refuses parameters without a value, each by name.
fn filled(pairs: Pairs) -> Result<Pairs, AppError> {
    let blank = pairs.iter().filter(|(_, value)| value.trim().is_empty());
    let faults: Vec<FieldError> = blank
        .map(|(name, _)| FieldError::new(name, "required", "give this a value, or leave it out"))
        .collect();
    if faults.is_empty() { Ok(pairs) } else { Err(AppError::Invalid(faults)) }
}

/// `name.key=value` as `name=key=value`.
fn keyed(pairs: Pairs) -> Pairs {
    let keyed = pairs.into_iter().map(|(name, value)| match name.split_once('.') {
        Some((name, key)) => (name.to_owned(), format!("{key}={value}")),
        None => (name, value),
    });
    keyed.collect()
}

fn read<T: DeserializeOwned>(pairs: &Pairs) -> Result<T, AppError> {
    let text = serde_html_form::to_string(pairs).map_err(|error| AppError::internal(&error))?;
    serde_html_form::from_str(&text).map_err(|error| {
        // Which parameter it was, serde does not say of a value; what is given under each name by itself does.
        let same = |pairs: &[&(String, String)]| {
            let alone = serde_html_form::to_string(pairs).unwrap_or_default();
            serde_html_form::from_str::<T>(&alone).is_err_and(|own| own.to_string() == error.to_string())
        };
        let given = |name: &str| pairs.iter().filter(|(other, _)| other == name).collect::<Vec<_>>();
        let culprit = pairs.iter().find(|(name, _)| same(&given(name)));
        if let Some(pair) = culprit
            && !given(&pair.0).iter().any(|alone| same(&[alone]))
        {
            return AppError::field(&pair.0, "duplicate_field", "this field is given twice");
        }
        let fault = field_error(culprit.map_or("query", |(name, _)| name), &error);
        let field = fault.field.rsplit('.').next().unwrap_or_default().to_owned();
        AppError::Invalid(vec![FieldError { field, ..fault }])
    })
}

/// The names of the fields of a struct, as serde reads them.
fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    let _ = T::deserialize(Names(&mut names));
    names
}

/// Reads nothing but what a struct asks for.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("only a struct has names"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(de::Error::custom("only the names were asked for"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use actix_web::test::TestRequest;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Own {
        count: Option<u8>,
        #[serde(rename = "kind")]
        sort: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shared {
        name: Option<String>,
        #[serde(default)]
        field: Vec<String>,
    }

    fn ask(query: &str) -> Result<(Shared, Own), Vec<(String, String)>> {
        let request = TestRequest::with_uri(&format!("/?{query}")).to_http_request();
        match QueryOf::<Shared, Own>::from_request(&request, &mut Payload::None).into_inner() {
            Ok(QueryOf(shared, own)) => Ok((shared, own)),
            Err(AppError::Invalid(faults)) => {
                Err(faults.into_iter().map(|fault| (fault.field, fault.code)).collect())
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_parameter_goes_to_the_type_that_knows_it() {
        let (shared, own) = ask("count=3&name=a+b&kind=x&field.size=2&field.c%3Dd=%26").unwrap();
        assert_eq!(own, Own { count: Some(3), sort: Some("x".into()) });
        assert_eq!(shared, Shared { name: Some("a b".into()), field: vec!["size=2".into(), "c=d=&".into()] });
    }

    #[test]
    fn what_neither_knows_is_refused_by_name_and_faults_of_both_are_told() {
        let fault = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        assert_eq!(ask("cuont=3").unwrap_err(), [fault("cuont", "unknown_field")]);
        assert_eq!(ask("sort=x").unwrap_err(), [fault("sort", "unknown_field")]);
        assert_eq!(ask("count=x").unwrap_err(), [fault("count", "wrong_type")]);
        assert_eq!(
            ask("name=a&name=b&count=x").unwrap_err(),
            [fault("name", "duplicate_field"), fault("count", "wrong_type")]
        );
        assert_eq!(ask("nothing.x=1").unwrap_err(), [fault("nothing", "unknown_field")]);
        assert_eq!(
            ask("count=&name=+&field.size=").unwrap_err(),
            [fault("count", "required"), fault("name", "required"), fault("field.size", "required")]
        );
    }
}
