//! How contact values travel: one string each, in JSON and in forms.
//!
//! Called by the sibling modules only, through the two macros. Must not know a value's rules: reading
//! always goes through the type's own `FromStr`.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};

/// Reads a `T` straight from the parser's buffer, without a `String` in between.
pub(super) struct FromText<T> {
    expecting: &'static str,
    value: PhantomData<T>,
}

impl<T> FromText<T> {
    pub(super) fn new(expecting: &'static str) -> Self {
        Self { expecting, value: PhantomData }
    }
}

impl<T> Visitor<'_> for FromText<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// `AsRef<str>`, `Serialize` and `Deserialize` for a type with `as_str` and `FromStr`.
macro_rules! travels_as_text {
    ([$($generics:tt)*] $type:ty, $expecting:literal) => {
        impl<$($generics)*> AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl<$($generics)*> serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de, $($generics)*> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::contact::wire::FromText::<Self>::new($expecting))
            }
        }
    };
}

/// `Debug` that names the type and keeps the person's data out of logs and panics.
macro_rules! debug_hides_value {
    ([$($generics:tt)*] $type:ty, $name:literal) => {
        impl<$($generics)*> std::fmt::Debug for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!($name, "(…)"))
            }
        }
    };
}

pub(super) use {debug_hides_value, travels_as_text};
