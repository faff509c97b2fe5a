//! Fields that staff defined: their kinds, and what a value of each must be. Pure.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{contact::LineText, error::FieldError};

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of at most 200 characters.
    Text,
    /// A number.
    Number,
    /// One of the field's choices.
    Choice,
    /// A day, `2026-05-01`.
    Date,
    /// `true` or `false`.
    YesNo,
}

impl FieldKind {
    /// Its name in the table and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Choice => "choice",
            Self::Date => "date",
            Self::YesNo => "yes_no",
        }
    }
}

impl FromStr for FieldKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Text, Self::Number, Self::Choice, Self::Date, Self::YesNo];
        all.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("there is no kind {text}"))
    }
}

/// A field that staff defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number in the tables.
    pub number: i64,
    /// Its name in forms, filters and columns.
    pub slug: String,
    /// Its name for people.
    pub label: String,
    /// What its values are.
    pub kind: FieldKind,
    /// What can be chosen.
    pub choices: Vec<String>,
}

/// A value as it is stored: a text, the same for equal values, and what it is ordered by.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldValue {
    /// The text.
    pub text: String,
    /// The number, or the day as days since 1970.
    pub rank: Option<f64>,
}

impl Field {
    /// Reads a value as it is sent; nothing for null and blank texts.
    ///
    /// # Errors
    /// What is wrong with it, under `fields.<slug>`.
    pub fn read(&self, sent: &Value) -> Result<Option<FieldValue>, FieldError> {
        let text = match sent {
            Value::Null => return Ok(None),
            Value::String(text) => text.trim().to_owned(),
            Value::Bool(yes) => yes.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Array(_) | Value::Object(_) => return Err(self.fault("wrong_type", "give one value")),
        };
        if text.is_empty() { Ok(None) } else { self.parse(&text).map(Some) }
    }

    /// Reads a value from its text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(&self, text: &str) -> Result<FieldValue, FieldError> {
        match self.kind {
            FieldKind::Text => match LineText::<200>::parse(text) {
                Ok(Some(line)) => Ok(FieldValue { text: line.as_str().to_owned(), rank: None }),
                Ok(None) => Err(self.fault("required", "this shows nothing")),
                Err(error) => Err(self.fault(error.code(), &error.to_string())),
            },
            FieldKind::Choice if self.choices.iter().any(|choice| choice == text) => {
                Ok(FieldValue { text: text.to_owned(), rank: None })
            }
            FieldKind::Choice => Err(self.fault("unknown_value", "this is none of the choices")),
            FieldKind::YesNo => match text {
                "true" | "false" => Ok(FieldValue { text: text.to_owned(), rank: None }),
                _ => Err(self.fault("wrong_type", "give true or false")),
            },
            FieldKind::Number | FieldKind::Date => {
                let (text, rank) = self.rank(text)?;
                Ok(FieldValue { text, rank: Some(rank) })
            }
        }
    }

    /// Reads a value from a cell of a list, where people write yes and no as they like, a choice in any case, and programs a
    /// day as a time.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_listed(&self, text: &str) -> Result<FieldValue, FieldError> {
        let text = text.trim();
        match self.kind {
            FieldKind::YesNo => match text.to_lowercase().as_str() {
                "true" | "yes" | "y" | "t" | "1" | "x" => self.parse("true"),
                "false" | "no" | "n" | "f" | "0" => self.parse("false"),
                _ => self.parse(text),
            },
            FieldKind::Choice => {
                let alike = |choice: &&String| choice.to_lowercase() == text.to_lowercase();
                let exact = self.choices.iter().find(|choice| *choice == text);
                self.parse(exact.or_else(|| self.choices.iter().find(alike)).map_or(text, String::as_str))
            }
            FieldKind::Date => {
                let midnight = ["T00:00:00", " 00:00:00"].into_iter().find_map(|end| text.strip_suffix(end));
                self.parse(midnight.unwrap_or(text))
            }
            FieldKind::Text | FieldKind::Number => self.parse(text),
        }
    }

    /// A number or a day, in its one form, with what it is ordered by.
    fn rank(&self, text: &str) -> Result<(String, f64), FieldError> {
        if self.kind == FieldKind::Date {
            let day: jiff::civil::Date =
                text.parse().map_err(|_| self.fault("wrong_type", "give a day like 2026-05-01"))?;
            let epoch = jiff::civil::Date::constant(1970, 1, 1);
            let since = day.since(epoch).map_err(|_| self.fault("out_of_range", "give a nearer day"))?;
            return Ok((day.to_string(), f64::from(since.get_days())));
        }
        // Rust also reads NaN and infinity.
        let number: Option<f64> = text.parse().ok().filter(|_| text.contains(|c: char| c.is_ascii_digit()));
        let number = number.ok_or_else(|| self.fault("wrong_type", "give a number like 12 or 0.5"))?;
        if !number.is_finite() || number.abs() > 1e15 {
            return Err(self.fault("out_of_range", "give a number of at most 15 digits"));
        }
        // Minus nought is nought.
        let number = number + 0.0;
        Ok((number.to_string(), number))
    }

    /// Reads what a filter asks for: a value, or `from..to` (either may be left out) where values have an order.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn asked(&self, text: &str) -> Result<Asked, FieldError> {
        let ranked = matches!(self.kind, FieldKind::Number | FieldKind::Date);
        let Some((from, to)) = text.split_once("..").filter(|_| ranked) else {
            return self.parse(text.trim()).map(|value| Asked::Is(value.text));
        };
        let end = |text: &str| match text.trim() {
            "" => Ok(None),
            text => self.rank(text).map(|(_, rank)| Some(rank)),
        };
        let (from, to) = (end(from)?, end(to)?);
        match (from, to) {
            (None, None) => Err(self.fault("required", "give a beginning or an end")),
            (Some(from), Some(to)) if from > to => {
                Err(self.fault("contradiction", "the end must not lie before the beginning"))
            }
            _ => Ok(Asked::Within(from, to)),
        }
    }

    fn fault(&self, code: &str, message: &str) -> FieldError {
        FieldError::new(format!("fields.{}", self.slug), code, message)
    }
}

/// What a filter asks of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// This value.
    Is(String),
    /// From here, up to and with there.
    Within(Option<f64>, Option<f64>),
}

/// Reads `fields` of a form or a change: a value for each field by its slug, nothing where it is taken away.
///
/// # Errors
/// Every value that does not hold, and every field that there is not.
pub fn read_all(
    known: &[Field],
    sent: &serde_json::Map<String, Value>,
) -> Result<Vec<(i64, Option<FieldValue>)>, Vec<FieldError>> {
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    for (slug, value) in sent {
        match known.iter().find(|field| field.slug == *slug).map(|field| (field.number, field.read(value))) {
            Some((number, Ok(value))) => values.push((number, value)),
            Some((_, Err(fault))) => faults.push(fault),
            None => {
                let slug: String = slug.chars().take(64).collect();
                faults.push(FieldError::new(
                    format!("fields.{slug}"),
                    "unknown_field",
                    "there is no such field",
                ));
            }
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn field(kind: FieldKind) -> Field {
        let choices = vec!["S".to_owned(), "M".to_owned()];
        Field { number: 1, slug: "x".into(), label: "X".into(), kind, choices }
    }

    fn text(kind: FieldKind, sent: &Value) -> Result<Option<String>, String> {
        let read = field(kind).read(sent).map(|value| value.map(|value| value.text));
        read.map_err(|fault| format!("{}: {}", fault.field, fault.code))
    }

    #[test]
    fn a_value_is_of_its_kind_or_refused() {
        use FieldKind::{Choice, Date, Number, Text, YesNo};
        for (kind, sent, stored) in [
            (Text, json!(" Local 12 "), "Local 12"),
            (Number, json!(12), "12"),
            (Number, json!("012.50"), "12.5"),
            (Number, json!(-0.0), "0"),
            (Choice, json!("M"), "M"),
            (Date, json!("2026-05-01"), "2026-05-01"),
            (YesNo, json!(true), "true"),
            (YesNo, json!("false"), "false"),
        ] {
            assert_eq!(text(kind, &sent), Ok(Some(stored.to_owned())), "{kind:?} {sent}");
        }
        for (kind, sent, fault) in [
            (Text, json!("a\u{0}"), "fields.x: control_characters"),
            (Number, json!("twelve"), "fields.x: wrong_type"),
            (Number, json!("NaN"), "fields.x: wrong_type"),
            (Number, json!("-inf"), "fields.x: wrong_type"),
            (Number, json!("1e999"), "fields.x: out_of_range"),
            (Number, json!(1e300), "fields.x: out_of_range"),
            (Choice, json!("L"), "fields.x: unknown_value"),
            (Date, json!("2026-02-30"), "fields.x: wrong_type"),
            (YesNo, json!("maybe"), "fields.x: wrong_type"),
            (Text, json!(["a"]), "fields.x: wrong_type"),
        ] {
            assert_eq!(text(kind, &sent), Err(fault.to_owned()), "{kind:?} {sent}");
        }
        assert_eq!(text(Number, &Value::Null), Ok(None));
        assert_eq!(text(Choice, &json!(" ")), Ok(None));
    }

    #[test]
    fn a_list_may_write_a_value_as_people_and_programs_do() {
        use FieldKind::{Choice, Date, Number, Text, YesNo};
        let listed = |kind, text: &str| field(kind).read_listed(text).map(|value| value.text);
        for (kind, cell, stored) in [
            (YesNo, "Yes", "true"),
            (YesNo, "FALSE", "false"),
            (YesNo, "0", "false"),
            (Choice, "m", "M"),
            (Date, "2026-05-01T00:00:00", "2026-05-01"),
            (Number, " 12.50 ", "12.5"),
            (Text, " Local 12", "Local 12"),
        ] {
            assert_eq!(listed(kind, cell).unwrap(), stored, "{kind:?} {cell}");
        }
        for (kind, cell) in [(YesNo, "perhaps"), (Choice, "L"), (Date, "1.5.2026"), (Number, "1,5")] {
            assert!(listed(kind, cell).is_err(), "{kind:?} {cell}");
        }
    }

    #[test]
    fn what_has_an_order_is_asked_for_by_its_ends() {
        let days = field(FieldKind::Date).asked("2026-05-01..2026-05-02").unwrap();
        assert_eq!(days, Asked::Within(Some(20_574.0), Some(20_575.0)));
        assert_eq!(field(FieldKind::Number).asked("..5").unwrap(), Asked::Within(None, Some(5.0)));
        assert_eq!(field(FieldKind::Text).asked("a..b").unwrap(), Asked::Is("a..b".into()));
        assert_eq!(field(FieldKind::Number).asked("5..1").unwrap_err().code, "contradiction");
        assert_eq!(field(FieldKind::Number).asked("..").unwrap_err().code, "required");
    }

    proptest! {
        #[test]
        fn equal_numbers_are_one_text_and_keep_their_value(number in -1e15..1e15_f64) {
            let value = field(FieldKind::Number).read(&json!(number)).unwrap().unwrap();
            prop_assert_eq!(value.text.parse::<f64>().unwrap(), number);
            prop_assert_eq!(value.rank, Some(number));
        }

        #[test]
        fn no_text_makes_it_panic(sent in ".*") {
            for kind in [FieldKind::Text, FieldKind::Number, FieldKind::Choice, FieldKind::Date, FieldKind::YesNo] {
                let _ = (field(kind).read(&json!(sent)), field(kind).asked(&sent));
            }
        }
    }
}
