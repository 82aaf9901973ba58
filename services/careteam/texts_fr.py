"""Every reason of careteam in French, from the same arguments as in `texts`, and the words of their codes."""

from collections.abc import Mapping

from shared.reasons import Words

REASONS: Mapping[str, str] = {
    # Why a team ended, and with it its case and its actions.
    "referral-revoked": "La demande de consultation a été retirée.",
    "referral-closed": "La demande de consultation a été fermée.",
    "patient-discharged": "Le patient a reçu son congé.",
    # Why a case is on an agenda.
    "first-plan-review": "Premier examen du plan par toute l'équipe.",
    "off-track": "Progression insuffisante : {instrument}.",
    "other-programme-proposed": "STarT Back indique un risque {risk} ; proposé pour ce risque : {programme}.",
    "action-overdue": "Une action n'a pas été faite à temps.",
    "action-rejected": "Une action a été refusée par la personne responsable.",
    "patient-died": "Le patient est décédé.",
    "visit-not-held": "La première visite avait été consignée par erreur, et le plan a été ouvert ensuite.",
    # Why a draft that was taken back is open again.
    "visit-held": "La première visite a bien eu lieu.",
    # What the clinic itself asks of an owner.
    "to-measure": "Bilan de la semaine {week} : mesurez {instruments}",
    "to-revise-plan": "Révisez le plan comme la réunion l'a décidé",
    # What a draft waits for.
    "to-activate-plan": "Le plan est une ébauche : un membre de l'équipe le rédige et l'active.",
    # What became of a meeting, a case and minutes, and what a team lacks.
    "meeting-not-held": "Personne ne l'a ouverte ; ses cas sont reportés.",
    "case-decided": "Cas décidé.",
    "minutes-signed": "Procès-verbal signé.",
    "nobody-for": "Personne à cet établissement pour : {disciplines}.",
    # Why something cannot be done.
    "no-such-step": "L'état est « {state} » ; il peut devenir : {allowed} ; il ne peut devenir : {to}.",
    "nothing-follows": "L'état est « {state} » et ne change plus.",
    "not-the-chair": "Seule la personne qui préside cette réunion peut le faire.",
    "plan-is-active": "Le plan est actif : une nouvelle version le révise.",
    "plan-not-active": "Le plan est une ébauche : activez-le avant de le réviser.",
    "meeting-not-open": "État de la réunion : {state} ; les cas sont décidés pendant qu'elle est ouverte.",
    "not-on-this-agenda": "Ce cas n'est pas à cet ordre du jour.",
    "case-is-over": "État du cas : {state}.",
    "no-quorum": "Pas de quorum pour ce cas ; personne n'est présent pour : {disciplines}.",
    "team-has-ended": "L'équipe a pris fin avec sa demande de consultation.",
    "already-on-the-agenda": "Le cas de ce patient attend déjà une réunion.",
    "not-the-owner": "Seule la personne responsable met une action à jour.",
    "decided-at-a-meeting": "Un cas est décidé à sa réunion, avec $decide.",
    "no-goal": "Un plan actif a au moins un objectif.",
    "no-activity": "Un plan actif a au moins une activité.",
    "no-summary": "Pour terminer un plan, ajoutez une note qui dit comment il a pris fin.",
    "no-reason-to-reject": "Pour refuser une action, donnez un motif.",
    "before-the-baseline": ("La mesure initiale date du {measured_at:%Y-%m-%d %H:%M}, donc après celle-ci."),
}

_INSTRUMENTS = {
    "nprs": "Intensité de la douleur, échelle numérique de 0 à 10",
    "oswestry": "Indice d'incapacité d'Oswestry",
}
_DISCIPLINES = {
    "physiatry": "physiatrie",
    "physiotherapy": "physiothérapie",
    "occupational-therapy": "ergothérapie",
    "psychology": "psychologie",
    "pain-medicine": "médecine de la douleur",
}
_STATES = {
    # Of plans, goals and actions.
    "draft": "ébauche",
    "proposed": "proposé",
    "active": "actif",
    "inactive": "inactif",
    "on-hold": "en suspens",
    "requested": "à faire",
    "accepted": "acceptée",
    "in-progress": "en cours",
    "completed": "terminé",
    "rejected": "refusée",
    "revoked": "retrait",
    "cancelled": "annulé",
    # Of meetings and cases.
    "scheduled": "prévue",
    "agenda-published": "ordre du jour publié",
    "open": "ouverte",
    "closed": "fermée",
    "minutes-signed": "procès-verbal signé",
    "not-held": "non tenue",
    "queued": "en attente d'une réunion",
    "on-agenda": "à l'ordre du jour",
    "carried-over": "reporté",
    "decided": "décidé",
    "dropped": "abandonné",
}

# What the codes of arguments are called.
WORDS: Words = {
    "state": _STATES,
    "to": _STATES,
    "allowed": _STATES,
    "instrument": _INSTRUMENTS,
    "instruments": _INSTRUMENTS,
    "disciplines": _DISCIPLINES,
    "risk": {"low": "faible", "medium": "moyen", "high": "élevé"},
}
