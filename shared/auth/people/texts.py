"""What people read when they sign in, in English and French."""

from collections.abc import Mapping

ENGLISH, FRENCH = "en", "fr"
LOCALES = (ENGLISH, FRENCH)

Texts = Mapping[str, str]

PARTIES: Mapping[str, Texts] = {
    ENGLISH: {
        "referrer": "Referring practice",
        "coordinator": "Coordinator",
        "clinician": "Clinician",
        "insurer": "Insurer",
        "operator": "Operator",
        "privacy-officer": "Privacy officer",
    },
    FRENCH: {
        "referrer": "Cabinet référent",
        "coordinator": "Coordination",
        "clinician": "Clinique",
        "insurer": "Assureur",
        "operator": "Exploitation",
        "privacy-officer": "Protection de la vie privée",
    },
}
DISCIPLINES: Mapping[str, Texts] = {
    ENGLISH: {
        "physiatry": "physiatry",
        "physiotherapy": "physiotherapy",
        "occupational-therapy": "occupational therapy",
        "psychology": "psychology",
        "pain-medicine": "pain medicine",
    },
    FRENCH: {
        "physiatry": "physiatrie",
        "physiotherapy": "physiothérapie",
        "occupational-therapy": "ergothérapie",
        "psychology": "psychologie",
        "pain-medicine": "médecine de la douleur",
    },
}
PAGES: Mapping[str, Texts] = {
    ENGLISH: {
        "sign-in": "Sign in",
        "demo": "Demo people",
        "demo-about": "This clinic is an example. Choose as whom you want to look at it.",
        "nobody": "Nobody can sign in here yet: ask whoever runs this clinic for an invitation.",
        "unknown-application": "This sign-in was not begun by an application of this clinic.",
        "not-from-here": "This form did not come from this page. Go back and try again.",
        "nobody-chosen": "There is no such person here. Choose one of the list.",
        "wrong-request": "This address cannot be read. Go back to the clinic and begin again.",
        "away": "A part that this needs does not answer at the moment. Try again.",
        "failed": "Something went wrong here, and it is not your fault. Try again.",
        "signed-out": "You are signed out.",
        "not-signed-out": "This sign-out could not be read. Sign out in the portal.",
        "home": "To the start page",
        "other-language": "Français",
        "problem": "That did not work",
    },
    FRENCH: {
        "sign-in": "Se connecter",
        "demo": "Personnes de démonstration",
        "demo-about": "Cette clinique est un exemple. Choisissez en tant que qui vous voulez la voir.",
        "nobody": "Personne ne peut encore se connecter ici : demandez une invitation à la clinique.",
        "unknown-application": "Cette connexion n'a pas été commencée par une application de la clinique.",
        "not-from-here": "Ce formulaire ne vient pas de cette page. Revenez en arrière et réessayez.",
        "nobody-chosen": "Cette personne n'existe pas ici. Choisissez-en une dans la liste.",
        "wrong-request": "Cette adresse est illisible. Revenez à la clinique et recommencez.",
        "away": "Un élément nécessaire ne répond pas en ce moment. Réessayez.",
        "failed": "Une erreur s'est produite ici, et ce n'est pas votre faute. Réessayez.",
        "signed-out": "Vous êtes déconnecté.",
        "not-signed-out": "Cette déconnexion est illisible. Déconnectez-vous dans le portail.",
        "home": "Vers la page d'accueil",
        "other-language": "English",
        "problem": "Cela n'a pas fonctionné",
    },
}


def locale_of(ui_locales: str | None, accept_language: str | None) -> str:
    """Choose the language: what the application asks for first, then the browser, else English."""
    wanted = (ui_locales or "").replace("_", "-").split()
    wanted += [tag for tag, _ in sorted(_accepted(accept_language or ""), key=lambda pair: -pair[1])]
    primary = (tag.partition("-")[0].lower() for tag in wanted)
    return next((tag for tag in primary if tag in LOCALES), ENGLISH)


def _accepted(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header[:1000].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            found.append((tag.strip(), float(quality or 1)))
        except ValueError:
            continue
    return [pair for pair in found if 0 < pair[1] <= 1]
