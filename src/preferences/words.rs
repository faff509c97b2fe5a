//! What the pages and mails of preferences say, in every language of ours.

use crate::{sentences, speech::Messages};

sentences! {
    /// Leaving with one click, and "that was not me".
    LeaveWords:
    leave_title = "Leave", "Darse de baja";
    leave_heading = "Do you want to leave?", "¿Quieres darte de baja?";
    leave_what = "Press the button and {campaign} stops writing to you, at once. No group gets your contact from us any more, and those that had it are told to delete it.",
        "Pulsa el botón y {campaign} dejará de escribirte de inmediato. Ningún grupo recibirá más tus datos de nuestra parte, y a los que los tenían se les pide que los borren.";
    leave_button = "Yes, stop writing to me", "Sí, no me escriban más";
    leave_nothing = "If you do nothing, everything stays as it is.", "Si no haces nada, todo queda como está.";
    left_title = "You have left", "Te has dado de baja";
    left_heading = "Done. You have left.", "Listo. Te has dado de baja.";
    left_mail = "We will not write to you again. A mail that was already on its way may still arrive.",
        "No volveremos a escribirte. Es posible que aún llegue un correo que ya estaba en camino.";
    left_links = "The links in earlier mails no longer open your details, and every group that had your contact from us is told to delete it.",
        "Los enlaces de correos anteriores ya no abren tus datos, y a cada grupo que tenía tu contacto por nosotros se le pide que lo borre.";
    left_thanks = "Thank you for the time you were with us. If you change your mind, the form is the way back; only you can take it.",
        "Gracias por el tiempo que estuviste con nosotros. Si cambias de opinión, puedes volver con el formulario; solo tú puedes hacerlo.";
    left_form = "To the form", "Ir al formulario";
    not_me_title = "That was not me", "No fui yo";
    not_me_heading = "You did not sign up?", "¿No te apuntaste?";
    not_me_why = "Then somebody typed your address into our form, perhaps by mistake. You are on no list.",
        "Entonces alguien escribió tu dirección en nuestro formulario, quizá por error. No estás en ninguna lista.";
    not_me_what = "Press the button and we will leave this address alone for good: no further mail from us, even if somebody types it again.",
        "Pulsa el botón y dejaremos esta dirección en paz para siempre: ningún otro correo nuestro, aunque alguien la vuelva a escribir.";
    not_me_button = "That was not me: never write again", "No fui yo: no me escriban nunca más";
    not_me_nothing = "If you do nothing, nothing happens either, and we delete what was typed.",
        "Si no haces nada, tampoco pasa nada, y borramos lo que se escribió.";
    not_me_done_title = "We will leave you alone", "No te molestaremos más";
    not_me_done = "Done. We will not write to you again.", "Listo. No volveremos a escribirte.";
    not_me_sorry = "We are sorry for the trouble. You are on no list. We keep only a scrambled form of the address, so that we can recognise it and leave it alone.",
        "Lamentamos la molestia. No estás en ninguna lista. Solo guardamos una forma cifrada de la dirección, para reconocerla y no molestarla.";
    close = "You can close this page.", "Puedes cerrar esta página.";
}

sentences! {
    /// What both views of the preferences say.
    ChoiceWords:
    title = "Your choices", "Tus opciones";
    masked_about = "This is about {address}.", "Esto es sobre {address}.";
    masked_why = "Mails get passed on, so the link you came by does not show your details.",
        "Los correos se reenvían, así que el enlace con el que llegaste no muestra tus datos.";
    see_heading = "See or change your details", "Ver o cambiar tus datos";
    see_what = "We e-mail you a fresh link that works for 1 hour. With it you see everything we store about you and can change it, share it with a group, download it or have it erased.",
        "Te enviamos un enlace nuevo que funciona durante 1 hora. Con él ves todo lo que guardamos sobre ti y puedes cambiarlo, compartirlo con un grupo, descargarlo o hacer que se borre.";
    see_button = "E-mail me a fresh link to see or change my details", "Envíenme un enlace nuevo para ver o cambiar mis datos";
    hour_over = "This link's hour is over. You can still take things away, or ask for another link.",
        "La hora de este enlace ya pasó. Todavía puedes retirar permisos o pedir otro enlace.";
    sent_title = "Look at your inbox", "Mira tu correo";
    sent_what = "A fresh link is on its way to {address}.", "Un enlace nuevo va en camino a {address}.";
    sent_spam = "It works for 1 hour. If it is not there in a few minutes, look in the spam or junk folder.",
        "Funciona durante 1 hora. Si no llega en unos minutos, mira en la carpeta de correo no deseado.";
    dev_mailbox = "This server runs in development. No mail leaves it; the local mailbox has yours.",
        "Este servidor está en desarrollo. Ningún correo sale de él; el tuyo está en el buzón local.";
    dev_link = "Open the local mailbox", "Abrir el buzón local";
    groups_heading = "Groups that may have your contact", "Grupos que pueden tener tus datos";
    groups_none = "No group gets your contact from us.", "Ningún grupo recibe tus datos de nuestra parte.";
    since = "since {date}", "desde {date}";
    withdraw_button = "Stop sharing with {group}", "Dejar de compartir con {group}";
    withdrawn = "Done. {group} no longer gets your contact from us, and is told to delete what it has.",
        "Listo. {group} ya no recibe tus datos de nuestra parte, y se le pide que borre lo que tiene.";
    pause_heading = "Pause", "Pausa";
    pause_what = "For 30 days you get no news from us and are in no list that anybody takes out. Groups that have your contact already may still write.",
        "Durante 30 días no recibes noticias nuestras y no apareces en ninguna lista que alguien saque. Los grupos que ya tienen tus datos aún pueden escribirte.";
    pause_button = "Pause for 30 days", "Pausar por 30 días";
    paused_until = "You are paused until {date}.", "Estás en pausa hasta el {date}.";
    resume_button = "End the pause", "Terminar la pausa";
    resume_fresh = "To end the pause before that, ask for a fresh link above.",
        "Para terminar la pausa antes, pide un enlace nuevo arriba.";
    paused = "Done. You are paused for 30 days.", "Listo. Estás en pausa durante 30 días.";
    resumed = "Done. The pause is over.", "Listo. La pausa terminó.";
    leave_heading = "Leave everybody", "Dejar a todos";
    leave_what = "{campaign} stops writing to you, at once, and every group that has your contact from us is told to delete it. We keep your details, so that we know not to write.",
        "{campaign} deja de escribirte de inmediato, y a cada grupo que tiene tus datos por nosotros se le pide que los borre. Conservamos tus datos para saber que no debemos escribirte.";
    leave_button = "Leave everybody", "Dejar a todos";
}

sentences! {
    /// What the whole view says.
    DetailWords:
    title = "Your details", "Tus datos";
    stored_heading = "What we store about you", "Lo que guardamos sobre ti";
    nothing = "nothing", "nada";
    download = "Download everything as JSON", "Descargar todo en JSON";
    email = "E-mail address", "Correo electrónico";
    given_name = "First name", "Nombre";
    family_name = "Last name", "Apellido";
    phone = "Phone number", "Teléfono";
    phone_yes = "{number}, may be called or texted", "{number}, se puede llamar o mandar mensajes";
    phone_no = "{number}, not to be called or texted", "{number}, no llamar ni mandar mensajes";
    postal_code = "ZIP or postal code", "Código postal";
    region = "State or region", "Estado o región";
    country = "Country", "País";
    language = "Language", "Idioma";
    involvement = "What brings you here", "Qué te trae aquí";
    source = "How you came", "Cómo llegaste";
    tags = "Words staff sort by", "Palabras con que se ordena";
    yes = "Yes", "Sí";
    no = "No", "No";
    note = "A note by staff, {date}", "Una nota del equipo, {date}";
    signed_up = "Signed up", "Te apuntaste";
    confirmed = "Confirmed", "Confirmaste";
    edit_heading = "Change your details", "Cambiar tus datos";
    optional = "optional", "opcional";
    save = "Save", "Guardar";
    saved = "Saved. Your details have changed.", "Guardado. Tus datos han cambiado.";
    share_heading = "Who may have your contact", "Quién puede tener tus datos";
    share_button = "Save these choices", "Guardar estas opciones";
    share_saved = "Saved. Groups you took away are told to delete what they have.",
        "Guardado. A los grupos que quitaste se les pide que borren lo que tienen.";
    share_none = "No group is a member at present.", "Por ahora ningún grupo es miembro.";
    recalled = "{group} was told on {date} to delete what it has, and has not answered yet.",
        "A {group} se le pidió el {date} que borre lo que tiene, y aún no ha respondido.";
    history_heading = "Given and taken back", "Dado y retirado";
    history_line = "{group}: from {given} to {withdrawn}", "{group}: del {given} al {withdrawn}";
    exports_heading = "Lists that had you in them", "Listas en las que estabas";
    exports_none = "No list with you in it was taken out.", "No se sacó ninguna lista contigo.";
    export_line = "{date}, by {who}: {purpose}", "{date}, por {who}: {purpose}";
    taken_by_group = "{group}", "{group}";
    taken_by_owner = "an owner of {campaign}", "un responsable de {campaign}";
    taken_by_organizer = "an organizer of {campaign}", "un organizador de {campaign}";
    taken_by_other = "staff of {campaign}", "el equipo de {campaign}";
    receipt_heading = "What you agreed to", "Lo que aceptaste";
    when = "When", "Cuándo";
    fingerprint = "Fingerprint of the wording (SHA-256)", "Huella del texto (SHA-256)";
    for_group = "For {group}", "Para {group}";
    erase_heading = "Erase everything", "Borrar todo";
    erase_what = "We stop writing and erase what is stored about you. Every group that had your contact from us is told to delete it. This cannot be undone.",
        "Dejamos de escribirte y borramos lo que guardamos sobre ti. A cada grupo que tenía tus datos por nosotros se le pide que los borre. Esto no se puede deshacer.";
    erase_confirm = "Yes, I want everything about me erased.", "Sí, quiero que se borre todo sobre mí.";
    erase_missing = "Tick the box to say that you want everything erased.", "Marca la casilla para decir que quieres que se borre todo.";
    erase_button = "Erase everything about me", "Borrar todo sobre mí";
    erased_title = "Erased", "Borrado";
    erased_heading = "Done. Your details are erased.", "Listo. Tus datos están borrados.";
    erased_what = "Your name, your address and everything else you told us are gone from our lists. We keep only a scrambled form of your e-mail address, so that nobody can put you back without your own click.",
        "Tu nombre, tu dirección y todo lo demás que nos dijiste ya no están en nuestras listas. Solo guardamos una forma cifrada de tu correo, para que nadie pueda volver a apuntarte sin tu propio clic.";
    erased_groups = "Groups that had your contact are told by a fingerprint of your address, which goes when they have answered, or after 30 days.",
        "A los grupos que tenían tus datos se les avisa con una huella de tu dirección, que desaparece cuando responden o después de 30 días.";
    erased_backups = "A copy may remain in our backups until those are replaced. You can close this page.",
        "Puede quedar una copia en nuestras copias de seguridad hasta que se reemplacen. Puedes cerrar esta página.";
}

sentences! {
    /// The mail with the fresh link.
    LinkMailWords:
    subject = "{campaign}: your link to see or change your details", "{campaign}: tu enlace para ver o cambiar tus datos";
    title = "Your link to see or change your details", "Tu enlace para ver o cambiar tus datos";
    hello = "Hello,", "Hola:";
    here = "Here is the link you asked for. With it you can see what {campaign} has stored about you, change it, download it or have it erased:",
        "Aquí está el enlace que pediste. Con él puedes ver lo que {campaign} guarda sobre ti, cambiarlo, descargarlo o hacer que se borre:";
    button = "See or change my details", "Ver o cambiar mis datos";
    hour = "It works for 1 hour. Please do not pass it on: whoever has it can see your details.",
        "Funciona durante 1 hora. Por favor, no lo pases a nadie: quien lo tenga puede ver tus datos.";
    not_asked = "You did not ask for it? Then ignore this mail; nothing changes.",
        "¿No lo pediste? Entonces ignora este correo; nada cambia.";
}

/// What is wrong with a change, beside what every form may say.
pub(super) const FAULTS: Messages = &[("choose en or es", "elige uno de estos idiomas")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_fills_the_same_gaps_in_every_language() {
        let faults =
            [LeaveWords::faults(), ChoiceWords::faults(), DetailWords::faults(), LinkMailWords::faults()];
        assert_eq!(faults.concat(), Vec::<&str>::new());
        assert!(crate::speech::message_faults(FAULTS).is_empty());
    }
}
