//! What the mails of sign-ups say, in every language of ours.
//! What their pages say is in `page_words.rs`.

use crate::sentences;

sentences! {
    /// The mail that asks for the click. Plain text and HTML say the same.
    ConfirmWords:
    subject = "Please confirm: do you want to join {campaign}?", "Por favor, confirma: ¿quieres unirte a {campaign}?";
    title = "Do you want to join {campaign}?", "¿Quieres unirte a {campaign}?";
    hello = "Hello,", "Hola:";
    somebody = "Somebody, we hope you, gave this address to join {campaign}.",
        "Alguien, esperamos que tú, dio esta dirección para unirse a {campaign}.";
    open = "To join, open this link and press the button there:", "Para unirte, abre este enlace y pulsa el botón que verás:";
    button = "Yes, I want to join", "Sí, quiero unirme";
    one_day = "The link works for 1 day. If you ignore this mail, nothing happens: you are on no list, and we delete what was typed.",
        "El enlace funciona durante 1 día. Si ignoras este correo, no pasa nada: no estás en ninguna lista y borramos lo que se escribió.";
    days = "The link works for {days} days. If you ignore this mail, nothing happens: you are on no list, and we delete what was typed.",
        "El enlace funciona durante {days} días. Si ignoras este correo, no pasa nada: no estás en ninguna lista y borramos lo que se escribió.";
    not_you = "Was it not you?", "¿No fuiste tú?";
    not_me_text = "Then we will leave this address alone for good:", "Entonces dejaremos esta dirección en paz para siempre:";
    not_me_link = "That was not me", "No fui yo";
    not_me_html = "then we will leave this address alone for good.", "entonces dejaremos esta dirección en paz para siempre.";
}

sentences! {
    /// The mail to somebody who signed up again.
    AlreadyInWords:
    subject = "You are already with {campaign}", "Ya estás con {campaign}";
    hello = "Hello,", "Hola:";
    somebody = "Somebody, probably you, has just filled in our form with this address.",
        "Alguien, probablemente tú, acaba de llenar nuestro formulario con esta dirección.";
    in_already = "You are already in", "Ya estás dentro";
    nothing = ", so there is nothing left to do, and nothing has changed.",
        ", así que no queda nada por hacer y nada ha cambiado.";
    thanks = "Thank you for being with us.", "Gracias por estar con nosotros.";
    not_you = "If it was not you: no harm done. Whoever it was has seen nothing about you.",
        "Si no fuiste tú, no pasa nada. Quien haya sido no ha visto nada sobre ti.";
}

sentences! {
    /// The mail that says welcome and holds the consent receipt.
    WelcomeWords:
    subject = "Welcome to {campaign}", "Te damos la bienvenida a {campaign}";
    welcome = "Welcome!", "¡Hola y gracias!";
    in_before = "You are in, and ", "Ya estás dentro, y ";
    in_after = " is one person stronger. We write when there is something to know or to do.",
        " tiene una persona más. Escribimos cuando hay algo que saber o que hacer.";
    keep = "Please keep this mail. It is your copy of what you agreed to.",
        "Por favor, guarda este correo. Es tu copia de lo que aceptaste.";
    agreed = "What you agreed to", "Lo que aceptaste";
    when = "When", "Cuándo";
    language = "Language", "Idioma";
    fingerprint = "Fingerprint of the wording (SHA-256)", "Huella del texto (SHA-256)";
    groups = "You also said that these groups may have your contact:", "También dijiste que estos grupos pueden tener tus datos:";
    no_groups = "No other group gets your contact from us.", "Ningún otro grupo recibe tus datos de nuestra parte.";
    dropped = "is no longer a member and gets nothing.", "ya no es miembro y no recibe nada.";
    take_back = "You can take any of this back, whenever you like.", "Puedes retirar cualquiera de estas cosas cuando quieras.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_fills_the_same_gaps_in_every_language() {
        let faults = [ConfirmWords::faults(), AlreadyInWords::faults(), WelcomeWords::faults()];
        assert_eq!(faults.concat(), Vec::<&str>::new());
    }
}
