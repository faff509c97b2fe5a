//! The join form as it is shown: on the home page, on its own page, and again with what was typed and what is wrong.
//! Built by the sign-ups slice; must not validate, and must never tick a consent box by itself.

use super::layout::FieldError;
use crate::{sentences, speech::Speech};

/// The HTML names of the fields the form shows; each is also the id of its control.
const SHOWN: [&str; 9] = [
    "email",
    "given_name",
    "family_name",
    "postal_code",
    "phone",
    "involvement",
    "share_with",
    "consent_email",
    "consent_phone",
];

sentences! {
    /// What the join form says.
    JoinFormWords:
    title = "Join {campaign}", "Únete a {campaign}";
    page_title = "Join us", "Únete";
    email = "E-mail address", "Correo electrónico";
    given_name = "First name", "Nombre";
    family_name = "Last name", "Apellido";
    postal_code = "ZIP or postal code", "Código postal";
    postal_code_why = "So that you hear about what is near you.", "Para que te enteres de lo que pasa cerca de ti.";
    involvement = "What brings you here?", "¿Qué te trae aquí?";
    phone = "Phone number", "Teléfono";
    choose = "Choose…", "Elige…";
    share = "Share with a member group?", "¿Compartir con un grupo miembro?";
    share_what = "A group you tick gets what you fill in above, and may write to you about its own work (and call you, if you allow calls). No other group gets anything. You can take it back at any time.",
        "Un grupo que marcas recibe lo que llenas arriba y puede escribirte sobre su propio trabajo (y llamarte, si permites llamadas). Ningún otro grupo recibe nada. Puedes retirarlo en cualquier momento.";
    share_box = "{group} may have my contact.", "{group} puede tener mis datos.";
    share_who = "Who they are", "Quiénes son";
    consent = "What we may do", "Lo que podemos hacer";
    consent_phone = "You may also call or text me at the number above (optional).",
        "También pueden llamarme o mandarme mensajes al número de arriba (opcional).";
    button = "Join us", "Unirme";
    after = "Next we e-mail you a link. Until you click it, you are on no list.",
        "Ahora te enviamos un enlace por correo. Hasta que lo abras, no estás en ninguna lista.";
}

/// The join form: where it goes, what is in it, what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct JoinFormView {
    /// Which form this is; part of the HTML id.
    pub slug: String,
    /// The language of the page.
    pub speech: Speech,
    /// Its heading.
    pub title: String,
    /// Where it is posted.
    pub action: String,
    /// What was typed so far.
    pub values: JoinValues,
    /// Fields that staff chose for this form.
    pub fields: Vec<CustomField>,
    /// Groups that may be named, each with a box of its own; none: the question is not shown.
    pub groups: Vec<GroupChoice>,
    /// The consent wording in force.
    pub notice: NoticeView,
    /// What is wrong; empty on a first showing.
    pub errors: Vec<FieldError>,
}

impl JoinFormView {
    /// What it says.
    #[must_use]
    pub const fn words(&self) -> &'static JoinFormWords {
        JoinFormWords::of(self.speech)
    }

    /// The first error for the field named `field`.
    #[must_use]
    pub fn error_for(&self, field: &str) -> Option<&str> {
        FieldError::find(&self.errors, field)
    }

    /// Whether the form shows a control of this name, so that the summary can link to it.
    fn shows(&self, field: &str) -> bool {
        let is_there = match field {
            "involvement" => !self.values.involvement.is_empty(),
            "share_with" => !self.groups.is_empty(),
            _ => true,
        };
        is_there && (SHOWN.contains(&field) || self.fields.iter().any(|one| one.name() == field))
    }

    /// The errors with, for each, whether the summary may link to its field.
    #[must_use]
    pub fn summary(&self) -> Vec<(&FieldError, bool)> {
        self.errors.iter().map(|error| (error, self.shows(&error.field))).collect()
    }
}

/// A field that staff defined, in their own words.
#[derive(Debug, Clone, Default)]
pub struct CustomField {
    /// Its slug.
    pub slug: String,
    /// What is read.
    pub label: String,
    /// How it is filled in.
    pub control: FieldControl,
    /// What was typed or chosen.
    pub value: String,
}

/// How a field is filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FieldControl {
    /// One line.
    #[default]
    Text,
    /// A number.
    Number,
    /// A day.
    Date,
    /// One of these.
    Choice(Vec<String>),
    /// A box; one that is not ticked says nothing.
    Tick,
}

impl CustomField {
    /// Its HTML name and id.
    #[must_use]
    pub fn name(&self) -> String {
        format!("fields.{}", self.slug)
    }

    /// Whether it is a box.
    #[must_use]
    pub fn is_tick(&self) -> bool {
        self.control == FieldControl::Tick
    }

    /// Whether it is a list to choose from.
    #[must_use]
    pub const fn is_choice(&self) -> bool {
        matches!(self.control, FieldControl::Choice(_))
    }

    /// What can be chosen, and what is.
    #[must_use]
    pub fn options(&self) -> Vec<(&str, bool)> {
        let FieldControl::Choice(choices) = &self.control else { return Vec::new() };
        choices.iter().map(|choice| (choice.as_str(), *choice == self.value)).collect()
    }

    /// The kind of line it is, as attributes. A number is a line of text, since browsers read `1,5` each in their way.
    #[must_use]
    pub const fn input(&self) -> &'static str {
        match self.control {
            FieldControl::Number => "type=\"text\" inputmode=\"decimal\"",
            FieldControl::Date => "type=\"date\"",
            _ => "type=\"text\"",
        }
    }
}

/// What was typed, kept as it was.
#[derive(Debug, Clone, Default)]
pub struct JoinValues {
    /// `email`
    pub email: String,
    /// `given_name`
    pub given_name: String,
    /// `family_name`
    pub family_name: String,
    /// `postal_code`
    pub postal_code: String,
    /// `phone`
    pub phone: String,
    /// `involvement`, one box each; none: the question is not shown.
    pub involvement: Vec<InvolvementChoice>,
    /// `consent_email`: true only when this visitor has ticked it.
    pub consent_email: bool,
    /// `consent_phone`: true only when this visitor has ticked it.
    pub consent_phone: bool,
    /// Fields passed along unseen: where the sign-up came from.
    pub hidden: Vec<HiddenField>,
}

/// One box of the question how somebody is involved.
#[derive(Debug, Clone, Default)]
pub struct InvolvementChoice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether this visitor ticked it.
    pub checked: bool,
}

/// A group that may have the contact, if the visitor names it.
#[derive(Debug, Clone, Default)]
pub struct GroupChoice {
    /// What is sent.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its page, if the directory shows it.
    pub path: Option<String>,
    /// True only when this visitor has ticked it.
    pub checked: bool,
}

/// A hidden field.
#[derive(Debug, Clone, Default)]
pub struct HiddenField {
    /// Its HTML name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The consent wording shown beside the box.
#[derive(Debug, Clone, Default)]
pub struct NoticeView {
    /// The notice's id, sent along as `notice`.
    pub id: String,
    /// The exact wording.
    pub text: String,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_form_says_the_same_in_every_language() {
        assert!(super::JoinFormWords::faults().is_empty());
    }
}
