//! What the pages of joining say, in every language of ours: after the form, before and after the click, and what is wrong.
//! What the form itself says is in `site/join_form.rs`.

use crate::{sentences, speech::Messages};

sentences! {
    /// `/join/check-inbox`.
    InboxWords:
    title = "Look at your inbox", "Mira tu correo";
    heading = "Nearly there: look at your inbox", "Ya casi está: mira tu correo";
    lead = "We are sending you an e-mail. Click the link in it, and you are in.",
        "Te estamos enviando un correo. Abre el enlace que trae y ya estás dentro.";
    development = "This server runs in development.", "Este servidor está en desarrollo.";
    no_mail = "No mail leaves it:", "Ningún correo sale de él:";
    mailbox = "open the local mailbox", "abre el buzón local";
    to_find = "to find yours.", "para encontrar el tuyo.";
    from_before = "It comes from", "Viene de";
    from_after = "and should be there within a few minutes.", "y debería llegar en unos minutos.";
    spam = "Not there? Look in the spam or junk folder, and in “Promotions”.",
        "¿No llega? Mira en la carpeta de correo no deseado y en «Promociones».";
    one_day = "The link works for 1 day.", "El enlace funciona durante 1 día.";
    days = "The link works for {days} days.", "El enlace funciona durante {days} días.";
    nothing = "Nothing happens until you click it. If you never do, we delete what you typed.",
        "No pasa nada hasta que lo abras. Si nunca lo haces, borramos lo que escribiste.";
    slip = "Was there a slip in the address?", "¿Había un error en la dirección?";
    again = "Fill in the form again.", "Llena el formulario otra vez.";
}

sentences! {
    /// `/confirm/{token}`, before and after the click, and when the link is over.
    ConfirmPageWords:
    title = "Confirm that you want to join", "Confirma que quieres unirte";
    heading = "Do you want to join {campaign}?", "¿Quieres unirte a {campaign}?";
    lead = "One click, and you are in. This is what you agree to:", "Un clic y ya estás dentro. Esto es lo que aceptas:";
    groups = "Who else gets your contact", "Quién más recibe tus datos";
    groups_what = "You ticked these. Take a tick away, and that group gets nothing.",
        "Marcaste estos. Quita una marca y ese grupo no recibe nada.";
    group_box = "{group} may have my contact.", "{group} puede tener mis datos.";
    dropped = "{group} is no longer a member of {campaign} and gets nothing.",
        "{group} ya no es miembro de {campaign} y no recibe nada.";
    button = "Yes, I want to join", "Sí, quiero unirme";
    after = "We will send you a welcome e-mail with a copy of this wording. Every e-mail from us has a link to leave.",
        "Te enviaremos un correo de bienvenida con una copia de este texto. Todos nuestros correos traen un enlace para darte de baja.";
    not_you = "You did not sign up?", "¿No fuiste tú?";
    not_me = "That was not me", "No fui yo";
    done_title = "You are in", "Ya estás dentro";
    done_heading = "Thank you. You are in.", "Gracias. Ya estás dentro.";
    done_lead = "{campaign} is one person stronger.", "{campaign} tiene una persona más.";
    done_groups = "As you chose, your contact goes to:", "Como elegiste, reciben tus datos:";
    now = "What now?", "¿Y ahora?";
    now_mail = "A welcome e-mail is on its way, with a copy of what you agreed to. Keep it.",
        "Un correo de bienvenida va en camino, con una copia de lo que aceptaste. Guárdalo.";
    now_link = "The link in it shows your choices. There you can change your details, take something back, or leave.",
        "Su enlace muestra tus opciones. Ahí puedes cambiar tus datos, retirar algo o darte de baja.";
    now_write = "We write when there is something to know or to do.", "Escribimos cuando hay algo que saber o que hacer.";
    pass_on = "Do you know somebody who should be with us? Send them to",
        "¿Conoces a alguien que debería estar con nosotros? Dile que entre en";
    over = "This link no longer works", "Este enlace ya no funciona";
    over_one_day = "Links to join work for 1 day, and stop earlier when somebody leaves. Nothing has changed, and we have added you to no list.",
        "Los enlaces para unirse funcionan durante 1 día, y menos si alguien se da de baja. Nada ha cambiado y no te hemos puesto en ninguna lista.";
    over_days = "Links to join work for {days} days, and stop earlier when somebody leaves. Nothing has changed, and we have added you to no list.",
        "Los enlaces para unirse funcionan durante {days} días, y menos si alguien se da de baja. Nada ha cambiado y no te hemos puesto en ninguna lista.";
    over_again = "To join, fill in the form once more. It takes a minute, and we send you a new link.",
        "Para unirte, llena el formulario una vez más. Toma un minuto y te enviamos un enlace nuevo.";
    form = "Go to the form", "Ir al formulario";
}

sentences! {
    /// The answers to how somebody is involved.
    InvolvementWords:
    frontline = "I live in a frontline community", "Vivo en una comunidad afectada";
    worker = "I work in industry or belong to a union", "Trabajo en la industria o soy de un sindicato";
    advocate = "I am an advocate or organizer", "Soy activista u organizo";
    faith = "I belong to a faith community", "Soy de una comunidad de fe";
    researcher = "I am a researcher or educator", "Investigo o enseño";
    other = "Something else", "Otra cosa";
}

/// What is wrong with a sign-up, beside what every form may say.
pub(super) const FAULTS: Messages = &[
    ("an e-mail address is required", "hace falta un correo electrónico"),
    ("your agreement is required to join", "hace falta que aceptes para unirte"),
    ("choose each at most once", "elige cada uno una sola vez"),
    ("choose at most five groups", "elige cinco grupos como máximo"),
    ("there is no such member group; leave it out", "no hay tal grupo miembro; déjalo fuera"),
    ("there is no such form", "no hay tal formulario"),
    (
        "this wording is not one of this form; load the form again and read it",
        "este texto no es de este formulario; carga el formulario otra vez y léelo",
    ),
    (
        "the wording could not be recognised; please load the form again",
        "no se pudo reconocer el texto; carga el formulario otra vez",
    ),
    ("give one value", "da un solo valor"),
    ("this shows nothing", "aquí no se ve nada"),
    ("this is none of the choices", "esto no es una de las opciones"),
    ("give true or false", "marca la casilla o déjala vacía"),
    ("give a day like 2026-05-01", "escribe un día como 2026-05-01"),
    ("give a nearer day", "escribe un día más cercano"),
    ("give a number like 12 or 0.5", "escribe un número como 12 o 0.5"),
    ("give a number of at most 15 digits", "escribe un número de 15 cifras como máximo"),
    ("there is no such field", "no hay tal campo"),
];

/// The campaign's own words as they are before anybody has written others.
pub(super) const CAMPAIGN: Messages = &[
    (
        "Clean industry, good jobs, healthy neighbourhoods.",
        "Industria limpia, buenos empleos, barrios sanos.",
    ),
    (
        "We are neighbours, workers and advocates who want the plants we live beside and work in to have a future.",
        "Somos vecinos, trabajadores y activistas que queremos que las plantas junto a las que vivimos y en las que trabajamos tengan futuro.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::message_faults;

    #[test]
    fn every_sentence_fills_the_same_gaps_in_every_language() {
        let faults = [
            InboxWords::faults(),
            ConfirmPageWords::faults(),
            InvolvementWords::faults(),
            message_faults(FAULTS),
            message_faults(CAMPAIGN),
        ];
        assert_eq!(faults.concat(), Vec::<&str>::new());
    }
}
