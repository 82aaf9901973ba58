"""Every reason of `referral` in French, from the same arguments as in `texts`, and the words of their codes.

A referral is a « demande de consultation », who sends it the « demandeur ».
"""

from collections.abc import Mapping

from shared.reasons import Words

REASONS: Mapping[str, str] = {
    # What triage found.
    "emergency-in-care": (
        "Une urgence est survenue pendant la prise en charge : voyez si celle-ci cesse ou attend."
    ),
    "emergency-flag": "Signal d'alarme, dirigez le patient vers l'urgence la plus proche : {flag}.",
    "urgent-flag": "Signal d'alarme : {flag}.",
    "unknown-flag": "L'expéditeur ne le sait pas : {flag}.",
    "of-another-age": "Le patient n'a pas l'âge auquel s'adresse le programme (de {lowest} à {highest} ans).",
    "start-back": "STarT Back {total} sur 9, détresse {distress} sur 5 : risque {risk}.",
    "programme-proposed": "Proposé pour ce risque : {programme}.",
    "no-self-referral": "Les patients ne peuvent pas s'inscrire eux-mêmes à ce programme : {programme}.",
    "no-self-referral-at-all": (
        "La clinique n'a aucun programme auquel les patients peuvent s'inscrire eux-mêmes."
    ),
    "under-age": "Le patient a moins de 18 ans ; les programmes de la clinique sont destinés aux adultes.",
    "claim-excludes": "Le programme n'est pas possible tant qu'il y a {claim} en cours.",
    "condition-excludes": "Le programme n'est pas possible tant qu'il y a {condition}.",
    "pregnancy-excludes": "Le programme n'est pas possible pendant la grossesse.",
    "birth-excludes": "Le programme n'est pas possible si tôt après un accouchement.",
    "began-too-recently": (
        "La douleur est apparue trop récemment ; le programme est ouvert à partir du {day}."
    ),
    "lasted-too-long": (
        "La douleur dure depuis plus longtemps que ne le prévoit le programme, sans nouvel épisode."
    ),
    "came-back-too-long-ago": (
        "La douleur est revenue il y a plus longtemps que ne le prévoit le programme."
    ),
    "information-needed": "Renseignements nécessaires avant la décision : {missing}.",
    "not-understood": ("La réponse envoyée n'a pas de code connu ici, ou elle est impossible : {missing}."),
    "consent-needed": "Le demandeur doit encore envoyer le consentement du patient qui nomme {payer}.",
    "no-programme-for-stream": "Aucun programme de la clinique ne correspond à la filière {stream}.",
    "accepted-for": "Acceptée pour : {programme}.",
    "stream-of-payer": "La filière du payeur est : {stream}.",
    "programme-of-payer": "{asked} n'est pas offert à ce payeur ; {programme} l'est.",
    "identity-in-doubt": (
        "Un identifiant du patient appartient à une personne qui a un autre nom ou une autre date de "
        "naissance, ou à plusieurs personnes."
    ),
    "one-person-two-referrals": (
        "Les dossiers du patient ont été fusionnés, et la demande du {sent_at:%Y-%m-%d} porte sur la même "
        "chose : fermez l'une des deux, ou fusionnez celle-ci avec l'autre tant qu'elle attend."
    ),
    "unmerged-since": (
        "Les dossiers du patient avaient été fusionnés par erreur ; ceci est arrivé entre-temps. "
        "À qui cela appartient-il ?"
    ),
    "said-as-known": "L'expéditeur redit ce qui est déjà connu.",
    "said-newly": "Nouveaux renseignements sur le patient : {members}.",
    "taken-over": "Le dossier du patient à la clinique contient maintenant tous ces renseignements.",
    "patient-died": "Le patient est décédé.",
    "record-not-in-use": "L'expéditeur ne tient plus ce dossier du patient.",
    "record-replaced": "Un autre dossier a remplacé celui-ci du patient, et il n'est pas connu ici.",
    "answered-after-emergency": "Le demandeur a répondu après l'urgence.",
    "answered-a-decline": "Le demandeur a répondu au refus de la clinique.",
    "answered-a-question": "Le demandeur a répondu à la question de la clinique.",
    # Where a referral stands, and what a Task is for or why it ended.
    "received": "Reçue.",
    "entered-by-clinic": "La clinique l'a saisie ; elle est arrivée par {way} le {sent_at:%Y-%m-%d}.",
    "tell-by-telephone": "Elle est arrivée par {way} : avisez l'expéditeur par téléphone.",
    "tell-patient": "Le patient s'est inscrit lui-même : avisez-le par téléphone.",
    "urgent-until-now": (
        "C'était urgent ; l'expéditeur dit maintenant le contraire, et aucun clinicien ne l'a encore lu."
    ),
    "clinician-decides": "C'est urgent : la décision revient à l'un de ces cliniciens : {who}.",
    "coordinator-decides": (
        "Un clinicien décide des demandes urgentes qui l'attendent, sinon une personne à la coordination."
    ),
    "waits-too-long": (
        "État de la demande : {state} ; le {at:%Y-%m-%d %H:%M}, elle attend depuis trop longtemps."
    ),
    "visit-not-recorded": (
        "Personne n'a consigné ce qu'il est advenu du premier rendez-vous du {when:%Y-%m-%d %H:%M}."
    ),
    "no-plan-active": "L'évaluation a eu lieu le {since:%Y-%m-%d}, et aucun plan de soins n'est actif.",
    "nothing-heard-of-booking": "Aucune nouvelle d'un rendez-vous depuis le {since:%Y-%m-%d %H:%M}.",
    "programme-is-over": (
        "Le programme a commencé le {since:%Y-%m-%d} ; ses {weeks} semaines sont écoulées."
    ),
    "nobody-owns": (
        "État de la demande : {state} ; aucun délai ni aucune tâche de la clinique ne veille à la suite."
    ),
    "question-unanswered": (
        "La question posée à la clinique le {since:%Y-%m-%d %H:%M} est restée sans réponse."
    ),
    "referrer-unanswering": (
        "La question posée au demandeur le {since:%Y-%m-%d %H:%M} est restée sans réponse."
    ),
    "referrer-wrote": "Le demandeur écrit :",
    "clinic-wrote": "La clinique écrit :",
    "answered": "La réponse a été donnée.",
    "another-time-asked": "Le patient ne peut pas venir, un autre moment est demandé :",
    "went-on": "La demande a évolué ; son état : {state}.",
    "triage-overdue": "Sans décision le {at:%Y-%m-%d %H:%M} ; peuvent décider : {who}.",
    "priority-changed": "La priorité est maintenant {priority} ; elle était {before}.",
    "clinic-looks": "Une personne de la clinique examine la demande.",
    "look-today": "Un clinicien l'examine aujourd'hui :",
    "declined-by-rule": "(règle {rule} ; éléments lus : {read})",
    "duplicate-suspected": (
        "Le patient a déjà une demande ouverte pour le même programme ; la coordination compare les deux."
    ),
    "triaged-again": "Le triage a été refait.",
    "accepted-by-clinic": "Acceptée par la clinique pour : {programme}.",
    "declined-by-clinic": "Refusée par la clinique :",
    "clinic-asks": "La clinique demande :",
    "reminded": "Rappel envoyé le {at:%Y-%m-%d %H:%M}.",
    "revoked-by-sender": "Retirée par l'expéditeur :",
    "revoked-by-message": "Retirée par l'expéditeur au moyen d'un message.",
    "closed-by-clinic": "Fermée par la clinique :",
    "same-as-anothers": (
        "La clinique prend le patient en charge selon une autre demande, que celle-ci suit désormais."
    ),
    "records-merged": "Les dossiers ont été fusionnés.",
    "two-people-after-all": "Les dossiers sont bien ceux de deux personnes.",
    "records-unmerged": "Elle avait été fusionnée par erreur avec la demande d'une autre personne.",
    "report-of-another": (
        "Elle avait été fusionnée par erreur avec la demande d'une autre personne, et son expéditeur a lu le "
        "rapport de cette personne : avisez l'expéditeur et le responsable de la protection des "
        "renseignements personnels."
    ),
    "same-as-earlier": "Identique à la demande du {sent_at:%Y-%m-%d}, qui suit son cours.",
    "merged": "Fusionnée.",
    "first-ended": "État de la demande avec laquelle celle-ci a été fusionnée : {state}.",
    "referrer-acknowledged": "Le demandeur a accusé réception.",
    "referrer-telephoned": "La clinique a joint le demandeur par téléphone.",
    "not-acknowledged": "Sans accusé de réception le {at:%Y-%m-%d %H:%M}.",
    "emergency-corrected": "L'expéditeur a corrigé ce qui en avait fait une urgence.",
    "corrected": "L'expéditeur a corrigé : {changed}.",
    "referrer-answered": "Le demandeur a répondu ; la clinique examine de nouveau la demande.",
    "report-is-there": "Le patient a reçu son congé ; le rapport est prêt.",
    "discharged": "Le patient a reçu son congé.",
    # What scheduling and careteam did.
    "later-than-wished": "L'expéditeur le souhaitait au plus tard le {day:%Y-%m-%d}.",
    "first-appointment-booked": "Le premier rendez-vous est fixé au {when:%Y-%m-%d %H:%M}.",
    "first-appointment-moved": "Le premier rendez-vous a été déplacé au {when:%Y-%m-%d %H:%M}.",
    "first-appointment-cancelled": "Le premier rendez-vous du {when:%Y-%m-%d %H:%M} a été annulé :",
    "first-appointment-missed": "Le patient a manqué le premier rendez-vous du {when:%Y-%m-%d %H:%M}.",
    "first-appointment-fulfilled": "Le premier rendez-vous a eu lieu le {when:%Y-%m-%d %H:%M}.",
    "status-corrected": "Ce qui avait été consigné du premier rendez-vous était une erreur.",
    "corrected-too-late": (
        "Ce qui avait été consigné du premier rendez-vous du {when:%Y-%m-%d %H:%M} a été corrigé ; "
        "la prise en charge s'était poursuivie depuis et continue."
    ),
    "no-reason-given": "aucun motif n'a été donné.",
    "waitlist-joined": "Aucun moment convenable n'est libre ; le patient est sur la liste d'attente.",
    "waitlist-left": "Le patient n'est plus sur la liste d'attente.",
    "patient-arrived": "Le patient est arrivé pour le rendez-vous du {when:%Y-%m-%d %H:%M}.",
    "guarantee-promised": "Le patient sera vu au plus tard le {day:%Y-%m-%d} ; le jour du rendez-vous suit.",
    "guarantee-at-risk": (
        "Le délai promis pour le premier rendez-vous risque d'être dépassé ; la clinique s'en occupe."
    ),
    "guarantee-forecast-breach": (
        "Selon le plan du soir, aucun jour n'est libre dans le délai promis pour le premier rendez-vous ; "
        "la clinique s'en occupe."
    ),
    "guarantee-breached": (
        "Le délai promis pour le premier rendez-vous est dépassé ; la clinique s'en occupe."
    ),
    "guarantee-second-breached": (
        "Le délai le plus long que promet la clinique pour le premier rendez-vous est dépassé ; "
        "la clinique s'en occupe."
    ),
    "sessions-booked": "Les séances sont fixées.",
    "sessions-not-booked": "Les séances n'ont pas pu être fixées.",
    "sessions-suspended": "Les séances qui restaient à venir ont été annulées.",
    "sessions-completed": "Les séances ont eu lieu.",
    "plan-active": "Le plan de soins est actif.",
    # Authorization.
    "sessions-wait": "Les séances d'un programme attendent votre décision.",
    "authorization-asked": "L'autorisation des séances a été demandée à {payer} ; c'est à l'assureur d'agir.",
    "authorization-pended": "{payer} n'a pas encore décidé ; c'est à l'assureur d'agir.",
    "authorization-denied": "{payer} a refusé les séances ; c'est à la clinique d'agir.",
    "authorization-not-required": "{payer} n'exige aucune autorisation.",
    "authorization-cancelled": "{payer} a annulé l'autorisation.",
    "authorization-granted": "{payer} a autorisé {units} séances ({status}).",
    "insurer-says": "Motif :",
    # Why an act is not possible, and what is possible instead.
    "acknowledge-first": (
        "Le patient a été dirigé vers un service d'urgence : $acknowledge vient en premier."
    ),
    "claim-decided": (
        "État de la demande d'autorisation : {status} ; une nouvelle décision exige une nouvelle demande."
    ),
    "kept-by-commands": "Cette tâche est tenue à jour par les actes faits sur la demande elle-même.",
    "merge-or-accept-first": "La demande attend encore la décision : $merge ou $accept.",
    "merge-into-another": "Une demande ne peut pas être fusionnée avec elle-même.",
    "merge-record-into-another": "Un dossier ne peut pas être fusionné avec lui-même.",
    "record-is-merged": (
        "Ce dossier a été fusionné avec {into} : $unmerge vient en premier, ou nommez celui-là."
    ),
    "record-has-merged": (
        "D'autres dossiers ont été fusionnés avec celui-ci : faites $unmerge, ou fusionnez en sens inverse."
    ),
    "record-not-merged": "Ce dossier n'est fusionné avec aucun autre.",
    "merge-same-patient": "Les deux demandes concernent des patients différents.",
    "merge-into-first": "État de l'autre demande : {state}.",
    "name-the-programme": "Nommez le programme, l'un de ceux-ci : {allowed}.",
    "no-emergency": "Aucune urgence n'attend d'accusé de réception ; état de la demande : {state}.",
    "no-task-step": "L'état « {now} » d'une tâche peut devenir : {allowed} ; il ne peut devenir : {to}.",
    "nothing-asked": "Rien n'est demandé au demandeur ; état de la demande : {state}.",
    "not-in-this-state": "État de la demande : {state} ; {act} n'est pas possible.",
    "referral-is-over": "État de la demande : {state}.",
    "review-first": "La demande attend encore la décision : $accept, $decline ou $request-information.",
    "sent-for-another": "Cet identifiant a déjà été envoyé pour un autre patient.",
    "sender-does-this": (
        "L'expéditeur le fait lui-même ; faites-le pour lui seulement si la clinique a saisi la demande."
    ),
    "task-ended": "L'état de cette tâche est « {now} » et ne change plus.",
}

_FLAGS = {
    "saddle-anaesthesia": "engourdissement de la selle, de la région périanale ou génitale",
    "bladder-disturbance": "rétention ou regorgement urinaire, ou trouble vésical nouveau",
    "bowel-incontinence": "perte du tonus anal ou incontinence fécale",
    "bilateral-leg-deficit": "faiblesse ou engourdissement des deux jambes",
    "sexual-dysfunction": "dysfonction sexuelle nouvelle",
    "progressive-deficit": "déficit neurologique qui s'aggrave",
    "significant-trauma": "traumatisme important",
    "infection-signs": "fièvre ou autres signes d'infection, injection de drogues ou immunosuppression",
    "fracture-suspected": "fracture soupçonnée, par exemple ostéoporose ou prise prolongée de stéroïdes",
    "cancer-history": "antécédents de cancer",
    "weight-loss": "perte de poids inexpliquée",
    "night-pain": "douleur nocturne importante et inattendue",
}
_CLAIMS = {
    "claim-workplace": "une demande d'indemnisation pour accident du travail",
    "claim-motor": "une demande d'indemnisation pour accident d'automobile",
    "claim-legal": "une réclamation en justice",
}
_CONDITIONS = {
    "chronic-multisite-pain": "une douleur chronique de plusieurs régions, non prise en charge",
    "opioid-dependency": "une dépendance aux opioïdes, non prise en charge",
}
_PRIORITIES = {
    "routine": "courante",
    "urgent": "urgente",
    "asap": "dès que possible",
    "stat": "immédiate",
}
_TASK_STATES = {
    "requested": "à faire",
    "received": "reçue",
    "accepted": "acceptée",
    "in-progress": "en cours",
    "on-hold": "en suspens",
    "rejected": "refusée",
    "completed": "terminé",
    "failed": "échec",
    "cancelled": "annulé",
}

# What the codes of arguments are called.
WORDS: Words = {
    "state": {
        "awaiting-triage": "en attente de triage",
        "information-requested": "renseignements demandés",
        "emergency-redirected": "dirigée vers l'urgence",
        "emergency-acknowledged": "urgence confirmée",
        "awaiting-review": "en attente d'examen",
        "declined": "refusée",
        "duplicate-suspected": "doublon soupçonné",
        "merged": "fusionnée",
        "accepted": "acceptée",
        "awaiting-booking": "en attente d'un rendez-vous",
        "waitlisted": "sur la liste d'attente",
        "booked": "rendez-vous fixé",
        "missed": "rendez-vous manqué",
        "appointment-cancelled": "rendez-vous annulé",
        "assessed": "évaluation faite",
        "in-programme": "programme en cours",
        "discharged": "congé donné",
        "revoked": "retrait",
        "closed": "fermée",
    },
    "stream": {
        "public": "régime public",
        "workplace": "accident du travail",
        "motor-vehicle": "accident d'automobile",
        "private": "assurance privée",
        "self-pay": "aux frais du patient",
    },
    "flag": _FLAGS,
    "claim": _CLAIMS,
    "condition": _CONDITIONS,
    "missing": {
        **{flag: f"présence ou non du signal d'alarme « {words} »" for flag, words in _FLAGS.items()},
        "reason-for-referral": "le motif de la consultation : un code, un motif ou un problème de santé",
        "birth-date": "la date de naissance complète du patient",
        "payer": "qui paie : une couverture avec son genre ou son payeur",
        "insurer": "quel assureur paie : une couverture dont le payeur porte l'identifiant de l'assureur",
        "consent": "le consentement du patient qui nomme l'assureur",
        "claim-workplace": "si une demande d'indemnisation pour accident du travail touche le dos",
        "claim-motor": "si une demande d'indemnisation pour accident d'automobile touche le dos",
        "claim-legal": "si une réclamation en justice touche le dos",
        "pregnancy": "si la patiente est enceinte ou a accouché dans la dernière année",
        "chronic-multisite-pain": "s'il y a une douleur chronique de plusieurs régions, non prise en charge",
        "opioid-dependency": "s'il y a une dépendance aux opioïdes, non prise en charge",
        "onset-date": "la date complète du début",
        "episode": "s'il s'agit d'un premier épisode ou d'une récidive",
        "recurrence-date": "la date complète du retour de la douleur",
        "postpartum-date": "la date complète de l'accouchement",
    },
    "changed": {
        **_FLAGS,
        **_CLAIMS,
        **_CONDITIONS,
        "reason-for-referral": "le motif de la consultation",
        "start-back": "l'outil STarT Back",
        "birth-date": "la date de naissance",
        "pregnancy": "la grossesse ou un accouchement récent",
        "onset-date": "la date du début",
        "episode": "s'il s'agit d'une récidive",
        "recurrence-date": "la date du retour de la douleur",
        "postpartum-date": "la date de l'accouchement",
        "programme": "le programme",
        "payer": "qui paie",
        "consent": "le consentement pour l'assureur",
        "unavailable": "quand le patient ne peut pas venir",
        "priority": "la priorité",
    },
    "risk": {"low": "faible", "medium": "moyen", "high": "élevé"},
    "way": {"fax": "télécopieur", "telephone": "téléphone", "letter": "lettre"},
    "priority": _PRIORITIES,
    "before": _PRIORITIES,
    "act": {
        "accepting": "l'accepter",
        "asking": "demander des renseignements",
        "declining": "la refuser",
        "ending": "y mettre fin",
        "merging": "la fusionner",
        "moving": "la faire passer à cet état",
    },
    "status": {
        "requested": "demandé",
        "pended": "en suspens",
        "approved": "approuvé",
        "partially-approved": "approuvé en partie",
        "modified": "approuvé avec modifications",
        "denied": "refusé",
        "not-required": "non requis",
        "cancelled": "annulé",
    },
    "now": _TASK_STATES,
    "to": _TASK_STATES,
    "allowed": _TASK_STATES,
}
