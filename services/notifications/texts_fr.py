"""Every reason of notifications in French: why a message did not arrive."""

from collections.abc import Mapping

from shared.reasons import NO_WORDS, Words

REASONS: Mapping[str, str] = {
    "no-server": "Il n'y a pas de serveur de courriel.",
    "no-address": "Le destinataire n'a pas d'adresse.",
    "no-consent": "Le consentement n'est plus valable.",
    "left-team": "Le destinataire ne fait plus partie de l'équipe.",
    "refused": "Le serveur de courriel a refusé le message.",
    "gave-up": "Le serveur de courriel n'a pas accepté le message en 24 heures.",
    "not-taken": "Le destinataire n'a pas accepté le message en 24 heures.",
    "gone": "Le destinataire a répondu qu'il n'existe plus.",
    "ended": "Le destinataire a pris fin.",
    "no-receiver": "Le destinataire n'est plus inscrit.",
}
WORDS: Words = NO_WORDS
