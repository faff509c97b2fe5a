//! What the directory and the pages of members say, in every language of ours. What an organisation says of itself is in its
//! own words; the pages by which one applies are English, as the terms are.

use crate::{
    sentences,
    speech::{Messages, Speech},
};

sentences! {
    /// `/groups` and `/groups/{slug}`.
    DirectoryWords:
    title = "Member groups", "Grupos miembros";
    about = "The groups that make up {campaign}.", "Los grupos que forman {campaign}.";
    heading = "Who is with us", "Quiénes están con nosotros";
    lead = "These groups make up {campaign}. None of them gets your contact unless you tick its name.",
        "Estos grupos forman {campaign}. Ninguno recibe tus datos si no marcas su nombre.";
    search = "Search", "Buscar";
    region = "State", "Estado";
    every_region = "Everywhere", "En todas partes";
    sector = "Industry", "Industria";
    every_sector = "Every industry", "Todas las industrias";
    kind = "Kind", "Tipo";
    every_kind = "Every kind", "Todos los tipos";
    show = "Show", "Mostrar";
    none = "No group matches.", "Ningún grupo coincide.";
    show_all = "Show all of them.", "Mostrarlos todos.";
    more = "More groups", "Más grupos";
    missing = "Is yours missing?", "¿Falta el tuyo?";
    apply = "Bring your organization in.", "Trae a tu organización.";
    place = "Where", "Dónde";
    sectors = "Industries", "Industrias";
    website = "Website", "Sitio web";
    join_heading = "Join with them", "Únete con ellos";
    join_what = "On our form you can let {group} have your contact, or not; it is a box of its own, and you can take it back.",
        "En nuestro formulario puedes dejar que {group} tenga tus datos o no; tiene su propia casilla y puedes retirarlo.";
    join = "Join", "Unirme";
    all = "All member groups", "Todos los grupos miembros";
}

/// Kinds, industries and what serves all of the country.
const LABELS: Messages = &[
    ("Frontline community", "Comunidad afectada"),
    ("Labor union", "Sindicato"),
    ("Advocacy", "Activismo"),
    ("Faith", "Fe"),
    ("Business", "Empresa"),
    ("Research", "Investigación"),
    ("Other", "Otro"),
    ("Steel", "Acero"),
    ("Cement", "Cemento"),
    ("Aluminum", "Aluminio"),
    ("Metallurgical coke", "Coque metalúrgico"),
    ("All of the United States", "Todo Estados Unidos"),
];

/// A label in this language.
pub(super) fn label(speech: Speech, english: &str) -> String {
    speech.say(LABELS, english).unwrap_or_else(|| english.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{super::words, *};
    use crate::speech::message_faults;

    #[test]
    fn every_sentence_and_every_label_is_there_in_every_language() {
        assert_eq!([DirectoryWords::faults(), message_faults(LABELS)].concat(), Vec::<&str>::new());
        let kinds = words::Kind::ALL.iter().map(|kind| kind.label());
        for english in kinds.chain(words::Sector::ALL.iter().map(|sector| sector.label())) {
            assert_ne!(label(Speech::Spanish, english), english);
        }
    }
}
