//! [`Object`]: a struct that is read from a JSON object and from nothing else.
//!
//! A derived `Deserialize` also takes an array for the fields in their order: `"consent": [true]` would be a
//! consent. Called by the JSON extractor for the whole body and by forms for what is nested in it.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// What was read from an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnlyMap(PhantomData))
    }
}

struct OnlyMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// For `#[serde(deserialize_with)]` on a field.
///
/// # Errors
/// When there is no object, or it does not fit.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|object| object.0)
}

/// The same for a field that may be null; with `default`, also for one that is left out.
///
/// # Errors
/// As [`object`].
pub fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Option::<Object<T>>::deserialize(deserializer).map(|found| found.map(|object| object.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Pair {
        a: u8,
        #[serde(deserialize_with = "optional")]
        inner: Option<Box<Pair>>,
    }

    fn read(text: &str) -> Result<Pair, String> {
        serde_json::from_str::<Object<Pair>>(text).map(|pair| pair.0).map_err(|error| error.to_string())
    }

    #[test]
    fn objects_are_read_and_arrays_refused_at_every_depth() {
        let inner = Some(Box::new(Pair { a: 2, inner: None }));
        assert_eq!(read(r#"{"a":1,"inner":{"a":2}}"#), Ok(Pair { a: 1, inner }));
        assert_eq!(read(r#"{"inner":null}"#), Ok(Pair::default()));
        for wrong in ["[1]", "[]", "7", "null", r#"{"inner":[2]}"#, r#"{"b":1}"#, r#"{"a":1,"a":1}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
