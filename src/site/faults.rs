//! What is wrong, said on a page in its language: messages of the values that every form has, and of problems. A slice
//! gives its own messages along. What has no sentence here is said as the API says it, in English.

use crate::speech::{Messages, Speech};

/// `message`, of `own` or of the values that every form has, as a sentence of a page.
#[must_use]
pub fn said(speech: Speech, own: Messages, message: &str) -> String {
    let known = speech.say(own, message).or_else(|| speech.say(VALUES, message));
    sentence(known.as_deref().unwrap_or(message))
}

/// Title and detail of a problem. A detail without a sentence in this language is left general.
#[must_use]
pub fn problem(speech: Speech, title: &str, detail: &str) -> (String, String) {
    let heading = speech.say(TITLES, title).unwrap_or_else(|| title.to_owned());
    let general = || match speech {
        Speech::English => detail.to_owned(),
        Speech::Spanish => "No se pudo hacer lo que pediste; vuelve atrás e inténtalo otra vez".to_owned(),
    };
    (heading, sentence(&speech.say(DETAILS, detail).unwrap_or_else(general)))
}

/// A message as a sentence of a page.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// Messages of the values of `contact`.
const VALUES: Messages = &[
    (
        "Choose a country, or enter its two-letter code, like US.",
        "Elige un país o escribe su código de dos letras, como US.",
    ),
    ("Enter an e-mail address.", "Escribe un correo electrónico."),
    (
        "Enter a shorter e-mail address: at most 64 bytes before the @ and 254 in all.",
        "Escribe un correo más corto: como máximo 64 bytes antes de la @ y 254 en total.",
    ),
    (
        "Enter an e-mail address with one @ in it, like name@example.org.",
        "Escribe un correo con una sola @, como nombre@example.org.",
    ),
    ("Remove the spaces from the e-mail address.", "Quita los espacios del correo electrónico."),
    (
        "Type the e-mail address by hand: it contains characters that cannot be seen.",
        "Escribe el correo a mano: contiene caracteres que no se ven.",
    ),
    (
        "Check the part before the @: letters, digits and single dots between them are safe.",
        "Revisa la parte antes de la @: letras, cifras y puntos sueltos entre ellas son seguros.",
    ),
    ("Enter an e-mail address without quotation marks.", "Escribe un correo sin comillas."),
    (
        "Check the part after the @: it should be a domain like example.org.",
        "Revisa la parte después de la @: debe ser un dominio como example.org.",
    ),
    (
        "Enter an e-mail address with a domain like example.org, not with an IP address.",
        "Escribe un correo con un dominio como example.org, no con una dirección IP.",
    ),
    ("Choose from: frontline, worker, advocate, faith, researcher, other.", "Elige de la lista."),
    (
        "Choose a language, or enter its code, like en or es-MX.",
        "Elige un idioma o escribe su código, como en o es-MX.",
    ),
    ("Enter a phone number.", "Escribe un número de teléfono."),
    (
        "Enter the phone number in digits, without letters or an extension.",
        "Escribe el teléfono en cifras, sin letras ni extensión.",
    ),
    (
        "Check the phone number: it should have 8 to 15 digits with its country code.",
        "Revisa el teléfono: debe tener de 8 a 15 cifras con el código del país.",
    ),
    (
        "Check the phone number: it should have ten digits with its area code, like 212-555-0123.",
        "Revisa el teléfono: debe tener diez cifras con el código de área, como 212-555-0123.",
    ),
    (
        "Start the phone number with + and the country code.",
        "Empieza el teléfono con + y el código del país.",
    ),
    ("Enter a postal code.", "Escribe un código postal."),
    (
        "Enter a ZIP code of five digits, like 12345, or nine, like 12345-6789.",
        "Escribe un código ZIP de cinco cifras, como 12345, o de nueve, como 12345-6789.",
    ),
    (
        "Enter a postal code of 2 to 12 letters, digits, spaces and dashes.",
        "Escribe un código postal de 2 a 12 letras, cifras, espacios y guiones.",
    ),
    (
        "Choose a state, or enter its two-letter code, like PA.",
        "Elige un estado o escribe su código de dos letras, como PA.",
    ),
    ("Fill in this field.", "Llena este campo."),
    ("Shorten this to at most {max} characters.", "Acorta esto a {max} caracteres como máximo."),
    (
        "Type this on one line by hand: it contains line breaks or characters that cannot be seen.",
        "Escribe esto a mano en una línea: contiene saltos de línea o caracteres que no se ven.",
    ),
];

/// Kinds of problems.
const TITLES: Messages = &[
    ("Bad Request", "No se entendió la petición"),
    ("Unauthorized", "Hace falta iniciar sesión"),
    ("Forbidden", "No está permitido"),
    ("Not Found", "No se encontró"),
    ("Method Not Allowed", "Aquí no se puede hacer eso"),
    ("Conflict", "Algo cambió mientras tanto"),
    ("Gone", "Ya no está"),
    ("Payload Too Large", "Demasiado grande"),
    ("Unsupported Media Type", "Formato no admitido"),
    ("Unprocessable Entity", "Hay algo que revisar"),
    ("Too Many Requests", "Demasiados intentos"),
    ("Internal Server Error", "Algo falló"),
    ("Service Unavailable", "Ahora mismo no es posible"),
];

/// What happened, as the pages of people who are no staff come to say it.
const DETAILS: Messages = &[
    ("there is nothing at this address", "en esta dirección no hay nada"),
    (
        "this link is not complete; open it again from the mail, or sign up once more",
        "este enlace no está completo; ábrelo otra vez desde el correo o vuelve a apuntarte",
    ),
    (
        "this link is not complete; open it again from the mail, or apply once more",
        "este enlace no está completo; ábrelo otra vez desde el correo o vuelve a enviar la solicitud",
    ),
    (
        "this link is not complete; open it again from the mail",
        "este enlace no está completo; ábrelo otra vez desde el correo",
    ),
    (
        "this link is no longer good; use the link in our latest mail, or sign up again",
        "este enlace ya no sirve; usa el de nuestro último correo o vuelve a apuntarte",
    ),
    (
        "this needs a fresh link; ask for one on the preferences page and we mail it to you",
        "para esto hace falta un enlace nuevo; pídelo en la página de tus opciones y te lo enviamos",
    ),
    (
        "this request came from another site; use this site's own page",
        "esta petición vino de otro sitio; usa la página de este",
    ),
    ("there is no such group in the directory", "no hay tal grupo en el directorio"),
    ("the body is larger than {size} bytes", "lo enviado ocupa más de {size} bytes"),
    (
        "the server is busy and has not accepted this; please try again in a moment",
        "el servidor está ocupado y no aceptó esto; inténtalo otra vez en un momento",
    ),
    (
        "something went wrong on our side; please try again later",
        "algo falló de nuestro lado; inténtalo otra vez más tarde",
    ),
    ("some fields need another look", "hay campos que revisar"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        contact::{Country, EmailAddress, Involvement, Language, LineText, Phone, PostalCode, Region},
        error::AppError,
        speech::message_faults,
    };

    #[test]
    fn every_message_fills_the_same_gaps_in_every_language() {
        let faults = [message_faults(VALUES), message_faults(TITLES), message_faults(DETAILS)];
        assert_eq!(faults.concat(), Vec::<&str>::new());
    }

    #[test]
    fn whatever_is_wrong_with_a_value_is_said_in_spanish() {
        let long = "x".repeat(300);
        let emails = [
            "",
            "ada",
            "a@b@c",
            "a b@example.org",
            "a\u{200b}@example.org",
            "a..b@example.org",
            "\"a\"@example.org",
            "ada@x",
            "ada@[127.0.0.1]",
            &format!("{long}@example.org"),
            "a\u{0}@example.org",
        ];
        let mut messages: Vec<String> =
            emails.iter().filter_map(|text| Some(EmailAddress::parse(text).err()?.to_string())).collect();
        assert_eq!(messages.len(), emails.len());
        for phone in ["", "call me", "123", "112-555-0123"] {
            messages.extend(Phone::parse(phone, Country::US).err().map(|error| error.to_string()));
        }
        messages.extend(
            Country::parse("XK")
                .ok()
                .and_then(|land| Phone::parse("12345678", land).err())
                .map(|e| e.to_string()),
        );
        for (code, country) in [("", "US"), ("1", "US"), ("%", "DE")] {
            let country = Country::parse(country).unwrap_or(Country::US);
            messages.extend(PostalCode::parse(code, country).err().map(|error| error.to_string()));
        }
        messages.extend(LineText::<100>::parse(&long).err().map(|error| error.to_string()));
        messages.extend(LineText::<100>::parse("a\nb").err().map(|error| error.to_string()));
        messages.extend("".parse::<LineText<100>>().err().map(|error| error.to_string()));
        messages.extend(Country::parse("Ohio?").err().map(|error| error.to_string()));
        messages.extend(Language::parse("english please").err().map(|error| error.to_string()));
        messages.extend(Region::parse("Nowhere").err().map(|error| error.to_string()));
        messages.extend(Involvement::parse("astronaut").err().map(|error| error.to_string()));
        for message in messages {
            let spanish = said(Speech::Spanish, &[], &message);
            assert_ne!(spanish, said(Speech::English, &[], &message), "{message}");
            assert!(!spanish.contains('{'), "{spanish}");
        }
    }

    #[test]
    fn problems_are_said_in_the_language_of_the_page() {
        let gone = AppError::NotFound("there is nothing at this address".to_owned()).problem();
        let said = problem(Speech::Spanish, &gone.title, &gone.detail);
        assert_eq!(said, ("No se encontró".to_owned(), "En esta dirección no hay nada.".to_owned()));
        let said = problem(Speech::English, &gone.title, &gone.detail);
        assert_eq!(said, ("Not Found".to_owned(), "There is nothing at this address.".to_owned()));
        let other = problem(Speech::Spanish, "Conflict", "nobody translated this");
        assert!(other.1.starts_with("No se pudo"), "{other:?}");
    }
}
