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
    "by-telephone": "Le patient ne permet aucun message: quelqu'un lui téléphone.",
    "gateway-refused": "La passerelle des messages texte a refusé le message.",
    "gateway-gave-up": "La passerelle des messages texte n'a pas accepté le message en 24 heures.",
    "not-taken": "Le destinataire n'a pas accepté le message en 24 heures.",
    "gone": "Le destinataire a répondu qu'il n'existe plus.",
    "ended": "Le destinataire a pris fin.",
    "no-receiver": "Le destinataire n'est plus inscrit.",
    "no-gateway": "Il n'y a pas de passerelle pour les messages texte.",
    "channel-not-permitted": "Le patient ne permet plus ce moyen de communication.",
    "superseded": "Ce que dit le message n'est plus vrai; un message plus récent dit ce qui l'est.",
}
WORDS: Words = NO_WORDS

# What a message to a patient says outside, and the one word of its calendar entry.
TO_PATIENTS: Mapping[str, str] = {
    "subject": "Il y a un message pour vous",
    "open": "Ouvrez-le ici. Votre date de naissance vous sera demandée :",
    "nothing": "Ce lien est à vous seul. À dessein, cette lettre ne dit rien d'autre; n'y répondez pas.",
    "text": "Il y a un message pour vous. Ouvrez-le avec votre date de naissance :",
    "appointment": "Rendez-vous",
}
