"""Every reason of scheduling in French, by the same arguments as in `texts`, and the words of their codes."""

from collections.abc import Mapping

from shared.reasons import Words

REASONS: Mapping[str, str] = {
    # Why a referral ended here.
    "referral-revoked": "La demande de consultation a été retirée.",
    "referral-closed": "La demande de consultation a été fermée.",
    "referral-merged": "La demande de consultation a été fusionnée avec une autre.",
    "patient-discharged": "Le patient a reçu son congé.",
    "patient-died": "Le patient est décédé.",
    # Why sessions were cancelled, or are not booked, and what is free instead.
    "beyond-the-grant": "Au-delà de ce que le payeur accorde.",
    "first-moved": "Le premier rendez-vous a été déplacé.",
    "first-has-no-time": "Le premier rendez-vous n'a pas encore d'heure.",
    "first-not-held": "Les séances sont fixées une fois que le premier rendez-vous a eu lieu.",
    "no-sessions": "Le programme {programme} n'a pas de séances.",
    "payer-undecided": "Le payeur n'a pas encore décidé.",
    "payer-decided": "La décision du payeur : {status}.",
    "nothing-granted": "Rien n'est accordé pour : {discipline}.",
    "sessions-held": "Séances qui ont eu lieu : {count}.",
    "session-finds-no-time": (
        "La séance {failed} sur {count} ne trouve aucun moment selon l'autorisation et le rythme."
    ),
    "free-instead": "Libre à la place : {start:%Y-%m-%d %H:%M} avec {practitioner}.",
    "series-not-refused": "Seule une série qui n'a pas trouvé de place en entier est réservée en partie.",
    "nothing-to-settle": "Rien n'est cherché pour cette série.",
    "no-session-to-come": "Aucune séance visée de cette série n'est encore à venir.",
    "group-keeps-its-clinician": (
        "Un groupe a un seul clinicien et une seule salle pour tous : un autre vaut pour tous ses membres."
    ),
    "session-cannot-move": (
        "La séance du {when:%Y-%m-%d %H:%M} ne peut pas être déplacée ainsi, donc aucune ne l'est."
    ),
    "series-held": "La série est suspendue du {starts_on} au {ends_on}.",
    "missed-in-a-row": (
        "{count} séances ont été manquées de suite : parler au patient avant d'en réserver d'autres."
    ),
    "session-not-made-up": (
        "{count} séances de {discipline} permises par l'autorisation ne trouvent pas d'heure."
    ),
    "no-room-in-week": "{discipline} n'a pas de place la semaine du {week}.",
    "block-begins": "La première semaine où tout le bloc a de la place commence le {week}.",
    "no-block-begins": "Aucune semaine des six prochains mois ne commence un bloc qui ait toute sa place.",
    "nothing-free": "Rien n'est libre plus tard non plus.",
    # Why a guarantee is at risk or broken, and what can be done.
    "day-follows": "Le jour est promis ; le plan du soir le fixera.",
    "no-day-in-time-by-plan": "Le plan du soir ne trouve aucun jour avant la fin du délai promis.",
    "to-be-seen-at-once": "Le patient doit être vu sans attendre : veillez à ce que la visite ait lieu.",
    "second-promise-broken": (
        "Le délai le plus long que promet la clinique est passé avant que le patient ne soit vu."
    ),
    "nothing-free-in-time": (
        "Aucune heure n'était libre dans le délai garanti : le patient est sur la liste d'attente."
    ),
    "booked-late": "Le premier rendez-vous est fixé après la fin du délai garanti : {when:%Y-%m-%d %H:%M}.",
    "seen-late": "Le premier rendez-vous a eu lieu après la fin du délai garanti.",
    "not-recorded": (
        "La visite a pris fin à {when:%Y-%m-%d %H:%M}, et personne n'a consigné ce qu'il en est advenu."
    ),
    "not-booked": "Aucun premier rendez-vous n'est fixé.",
    "free-in-time": "Libre dans le délai garanti : {when:%Y-%m-%d %H:%M} avec {practitioner}.",
    "free-sooner": "Libre plus tôt : {when:%Y-%m-%d %H:%M} avec {practitioner}.",
    "free-later": "Libre après la fin du délai garanti : {when:%Y-%m-%d %H:%M} avec {practitioner}.",
    "nothing-free-soon": "Rien n'est libre dans les {weeks} prochaines semaines.",
    # Why an appointment cannot be changed as somebody wants.
    "on-the-waitlist": (
        "Pour fixer une place de la liste d'attente, donnez-lui une heure ; "
        "pour en retirer le patient, fermez la demande de consultation."
    ),
    "not-on-the-waitlist": "Le rendez-vous a déjà une heure ; une autre heure le déplace.",
    "no-such-step": "L'état est « {state} » ; il peut devenir : {allowed} ; il ne peut devenir : {to}.",
    "nobody-waits": "Personne n'est là qui pourrait partir sans être vu ; état : {state}.",
    "left-unseen": "Le patient était venu et est parti sans être vu.",
    "missed-twice": (
        "Le patient a manqué deux visites de suite, la dernière le {when:%Y-%m-%d %H:%M} ; téléphonez-lui."
    ),
    "no-two-missed": "Il n'y a pas, comme on le sait maintenant, deux visites manquées de suite.",
    "booked-after-all": "Une visite a été fixée avec le patient : {when:%Y-%m-%d %H:%M}.",
    "visit-unrecorded": "Personne n'a consigné ce qu'est devenue la visite du {when:%Y-%m-%d %H:%M}.",
    "visit-recorded": "La visite a été consignée.",
    "nothing-to-record": "La visite a été annulée ou déplacée ; il n'y a rien à consigner.",
    "ends-when-recorded": "Cette tâche prend fin quand la visite est consignée.",
    "time-offered": (
        "Offert : le {when:%Y-%m-%d %H:%M} avec {practitioner}, au lieu du {instead:%Y-%m-%d %H:%M}."
        " Réponse attendue au plus tard le {until:%Y-%m-%d %H:%M}."
    ),
    "offer-accepted": "Le patient prend l'heure offerte.",
    "offer-declined": "Le patient garde l'heure qu'il a.",
    "offer-unanswered": "Personne n'a répondu à temps.",
    "offer-expired": "L'offre a pris fin le {until:%Y-%m-%d %H:%M}.",
    "offer-taken": "Quelqu'un d'autre a pris cette heure.",
    "offer-gone": "Cette heure n'existe plus.",
    "no-offer": "Cette tâche ne propose aucun moment.",
    "offer-over": "L'offre a pris fin.",
    "visit-changed-since": "La visite du patient n'est plus ce qu'elle était quand l'heure a été offerte.",
    "cancelled-late": "Annulation tardive : moins de {hours} heures avant le début.",
    "late-uses-a-unit": "Selon la règle du payeur, une unité est utilisée tout de même.",
    "nothing-follows": "L'état est « {state} » et ne change plus.",
    "too-early": "Il est trop tôt : « {status} » peut être consigné à partir du {earliest:%Y-%m-%d %H:%M}.",
    "no-new-time": "Un rendez-vous dont l'état est « {status} » ne reçoit pas de nouvelle heure.",
    "referral-ended": "La demande de consultation a pris fin.",
    "in-the-past": "La nouvelle heure est dans le passé.",
    "before-the-first": "Une séance vient après le premier rendez-vous.",
    "before-the-grant": "Le payeur accorde des séances à partir du {starts_on}.",
    "after-the-grant": "Le payeur accorde des séances jusqu'au {ends_on}.",
    "week-is-full": "Le programme compte au plus {per_week} séances par semaine.",
    "visit-of-another": "Seules la personne qui reçoit le patient et la coordination changent cette visite.",
    "no-such-visit": "Le programme n'a plus de telle visite.",
    "no-first-to-book": "Cette demande de consultation n'a pas de premier rendez-vous à fixer.",
    "first-stands": (
        "Le premier rendez-vous est fixé au {when:%Y-%m-%d %H:%M} ; une autre heure le déplace."
    ),
    "first-took-place": "Le patient est déjà venu au premier rendez-vous.",
    "hold-expired": "L'heure n'est plus retenue depuis le {until:%Y-%m-%d %H:%M}.",
    "hold-let-go": "L'heure n'est plus retenue.",
    "hold-was-booked": "Le premier rendez-vous a l'heure qui était retenue.",
    "held-by-another": "Quelqu'un d'autre retient cette heure jusqu'au {until:%Y-%m-%d %H:%M}.",
    "no-overbooking": "Fixer deux visites à la même heure est un droit que ce client n'a pas.",
    "contended": "D'autres réservent à cette heure en ce moment ; essayez de nouveau.",
    # Why a booked visit no longer fits, and how the Task that names it ends.
    "person-left": "{practitioner} ne travaille plus ici.",
    "works-elsewhere": "{practitioner} travaille à un autre établissement.",
    "same-person-then": "Le patient a une autre visite à la même heure : {visit}.",
    "person-absent": "{practitioner} s'absente le {day}.",
    "room-gone": "Cet établissement n'a plus de {room}.",
    "site-closed": "L'établissement est fermé le {day}.",
    "nothing-left": "Chaque visite convient de nouveau, a été déplacée ou annulée, ou est passée.",
    "kept-by-the-visit": "Cette tâche découle de ce qu'il advient de la visite.",
    "patient-to-tell": "Le rendez-vous est le {day:%Y-%m-%d} : le dire au patient par téléphone.",
    "patient-told": "Le patient a été informé.",
    "message-arrived": "Un message à ce sujet est parvenu au patient.",
    "visit-to-tell": (
        "Le rendez-vous du {when:%Y-%m-%d %H:%M} est nouveau ou a changé d'heure : le dire au patient."
    ),
    "series-to-tell": (
        "Une série de rendez-vous est prévue, le prochain le {day:%Y-%m-%d} : les dire tous au patient."
    ),
    "message-not-arrived": (
        "Aucun message au sujet de la visite du {when:%Y-%m-%d %H:%M} n'est arrivé : téléphoner."
    ),
    "cancellation-not-told": (
        "La visite du {when:%Y-%m-%d %H:%M} n'a pas lieu, et aucun message ne l'a dit : téléphoner."
    ),
    "asks-for-another-time": (
        "Le patient demande un autre moment que le {when:%Y-%m-%d %H:%M}, qui tient d'ici là."
    ),
    "patient-came": "Le patient est venu.",
    "visit-does-not-stand": "Le rendez-vous ne tient plus.",
    "task-ended": "L'état de cette tâche est « {now} » et ne change plus.",
    # Why a roster cannot be changed as somebody wants.
    "away-already": "{practitioner} s'absente déjà, jusqu'au {until:%Y-%m-%d %H:%M}.",
    "hours-overlap": "{practitioner} aurait deux fois des heures au même moment ({weekday}).",
    "chairs-the-meeting": (
        "{practitioner} préside la réunion clinique ici, et personne d'autre ne le fait encore."
    ),
    "last-of-discipline": (
        "Il ne resterait ici personne pour {discipline}, dont l'équipe de {programme} a besoin."
    ),
    "last-hours-for": (
        "Personne de {discipline} n'aurait d'heures pour les visites « {purpose} » de {programme}."
    ),
    "last-room-of-kind": (
        "L'établissement n'aurait plus de salle « {kind} », dont les visites de {programme} ont besoin."
    ),
    "closed-already": "L'établissement est déjà fermé, jusqu'au {until:%Y-%m-%d %H:%M}.",
    # What a correction of a status does, leaves, and is refused for.
    "recorded-by-mistake": "L'état « {state} » avait été consigné par erreur.",
    "booked-for-a-mistake": "Le rendez-vous avait été fixé à cause d'un état consigné par erreur.",
    "guarantee-is-now": "État de la garantie : {status}.",
    "visit-instead-called-off": (
        "La visite du {when:%Y-%m-%d %H:%M} qui avait été fixée à la place est annulée."
    ),
    "waitlist-place-given-up": "La place sur la liste d'attente est abandonnée.",
    "sessions-called-off": "Séances à venir qui sont annulées : {count}.",
    "messages-were-sent": "Des messages à ce sujet ont été envoyés et ne sont pas rappelés.",
    "plan-stays-if-worked-on": (
        "Un plan de soins auquel quelqu'un a travaillé depuis demeure, et son équipe en est avisée."
    ),
    "nothing-recorded": "L'état est « {state} » : rien n'a été consigné qui pourrait être faux.",
    "no-correction": "L'état « {state} » peut être corrigé en : {allowed} ; il ne peut l'être en : {to}.",
    "had-no-time": "Il n'a jamais eu d'heure qu'il pourrait retrouver.",
    "later-visit-took-place": ("Le patient est venu à la visite du {when:%Y-%m-%d %H:%M}, fixée à la place."),
    # What stands in the way of a chosen time.
    "patient-busy": "Le patient a un autre rendez-vous jusqu'au {until:%Y-%m-%d %H:%M}.",
    "person-busy": "{practitioner} a un autre rendez-vous jusqu'au {until:%Y-%m-%d %H:%M}.",
    "no-hours": "{practitioner} ne reçoit pas à cette heure pour ce genre de visite : {purpose}.",
    "not-offered": "{practitioner} ne prend pas de nouvelles visites à ce moment.",
    "nobody-gives": "Personne n'offre ceci à cet établissement : {discipline}.",
    "no-such-room": "Cet établissement n'a pas de salle du bon genre.",
    "group-full": (
        "Les places ({seats}) avec {practitioner} sont prises ; cette séance finit le {until:%Y-%m-%d %H:%M}."
    ),
    "group-ended": "La séance de groupe n'a pas lieu.",
    "no-group": "La visite n'est pas une place d'une séance de groupe à venir.",
    "first-visits-only": "De l'extérieur de la clinique, on ne fixe que les premiers rendez-vous.",
    "day-is-kept": "Ce qui reste du {day} est gardé pour des patients plus urgents.",
    "too-soon": "La clinique a besoin d'un préavis : la première heure est {earliest:%Y-%m-%d %H:%M}.",
    "too-late": "Un premier rendez-vous est fixé avant le {until:%Y-%m-%d %H:%M}.",
    "no-series": "Une séance de plus ne se fixe qu'à côté d'une série fixée.",
    "sessions-used": "Séances permises, toutes fixées ou utilisées : {count}.",
    "no-such-equipment": "Cet établissement n'a pas d'appareil du bon genre.",
    "equipment-taken": "Appareil pris : {device}, jusqu'au {until:%Y-%m-%d %H:%M}.",
    "room-busy": "{room} est prise jusqu'au {until:%Y-%m-%d %H:%M}.",
    "rooms-taken": "{room} et les autres salles de ce genre sont prises jusqu'au {until:%Y-%m-%d %H:%M}.",
}

_STATUSES = {
    "pending": "heure retenue",
    "waitlist": "sur la liste d'attente",
    "booked": "rendez-vous fixé",
    "arrived": "patient arrivé",
    "checked-in": "patient en salle",
    "fulfilled": "a eu lieu",
    "noshow": "rendez-vous manqué",
    "cancelled": "annulé",
}
_DISCIPLINES = {
    "physiatry": "physiatrie",
    "physiotherapy": "physiothérapie",
    "occupational-therapy": "ergothérapie",
    "psychology": "psychologie",
    "pain-medicine": "médecine de la douleur",
}

# What stands in a shared calendar.
CALENDAR: Mapping[str, str] = {
    "first": "Premier rendez-vous",
    "joint-first": "Premier rendez-vous, avec plusieurs disciplines",
    "session": "Séance",
    "review": "Bilan",
    "procedure": "Intervention",
    "telehealth": "Rendez-vous par vidéo ou par téléphone",
    "group": "Groupe",
    "test": "Test",
    "meeting": "Rencontre avec un patient",
    "away": "Absence",
}

# What the codes of arguments are called.
WORDS: Words = {
    "state": _STATUSES,
    "to": _STATUSES,
    "allowed": _STATUSES,
    "status": {
        **_STATUSES,
        "pended": "en suspens",
        "denied": "refusé",
        "not-required": "non requis",
        "on-track": "dans les délais",
        "at-risk": "à risque",
        "forecast-breach": "dépassement prévu",
        "breached": "délai dépassé",
        "met": "respecté",
        "ended": "sans objet",
    },
    "now": {"requested": "à faire", "completed": "terminé"},
    "discipline": _DISCIPLINES,
    "purpose": {"first": "premier rendez-vous", "session": "séance"},
}
