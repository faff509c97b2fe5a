//! What every mail to a supporter says around its content, in every language of ours. Called by templates.

use crate::sentences;

sentences! {
    /// What every mail to a supporter says around its content.
    MailWords:
    copy = "If the button does nothing, copy this address into your browser:",
        "Si el botón no hace nada, copia esta dirección en tu navegador:";
    choices = "See or change your choices", "Ver o cambiar tus opciones";
    leave = "Leave with one click", "Darse de baja con un clic";
    postal = "Our postal address:", "Nuestra dirección postal:";
    regards = "Warm regards", "Un saludo cordial";
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_sentence_fills_the_same_gaps_in_every_language() {
        assert!(super::MailWords::faults().is_empty());
    }
}
