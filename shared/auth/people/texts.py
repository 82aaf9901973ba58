"""What people read when they sign in, in English and French."""

from collections.abc import Mapping

ENGLISH, FRENCH = "en", "fr"
LOCALES = (ENGLISH, FRENCH)

Texts = Mapping[str, str]

PARTIES: Mapping[str, Texts] = {
    ENGLISH: {
        "referrer": "Referring practices",
        "coordinator": "Coordinator",
        "clinician": "Clinicians",
        "insurer": "Insurers",
        "operator": "Operator",
        "privacy-officer": "Privacy officer",
    },
    FRENCH: {
        "referrer": "Cabinets référents",
        "coordinator": "Coordination",
        "clinician": "Cliniciens",
        "insurer": "Assureurs",
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
        "at-clinic": "Sign in with your account of the clinic",
        "no-clinic-issuer": "This clinic has no sign-in of its own.",
        "not-begun-here": "This sign-in was not begun in this browser, or too long ago. Begin again.",
        "not-proved": "The clinic's sign-in did not say who you are. Begin again.",
        "no-part-here": "Your account has no part in Lumbar yet: ask whoever runs this clinic.",
        "with-password": "Sign in with a password",
        "login": "Login",
        "password": "Password",
        "wrong-password": "Login and password do not belong together.",
        "too-many": "Too many attempts. Wait a quarter of an hour, then try again.",
        "choose-password": "Choose a password",
        "your-login": "You sign in as",
        "password-rules": "At least 12 characters: a sentence is good, and you need not change it.",
        "new-password": "New password",
        "again": "The same again",
        "keep": "Keep it",
        "password-short": "The password is too short: at least 12 characters.",
        "password-long": "The password is too long: at most 256 characters.",
        "password-easy": "This password is too easy to guess. Choose another.",
        "password-differs": "The two passwords are not the same.",
        "password-set": "Your password is set",
        "link-over": "This link is over: it was used, is older than seven days, or there is a newer one.",
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
        "at-clinic": "Se connecter avec votre compte de la clinique",
        "no-clinic-issuer": "Cette clinique n'a pas de connexion à elle.",
        "not-begun-here": "Cette connexion n'a pas commencé dans ce navigateur, ou il y a trop longtemps.",
        "not-proved": "La connexion de la clinique n'a pas dit qui vous êtes. Recommencez.",
        "no-part-here": "Votre compte n'a pas encore de rôle dans Lumbar : demandez à la clinique.",
        "with-password": "Se connecter avec un mot de passe",
        "login": "Identifiant",
        "password": "Mot de passe",
        "wrong-password": "Cet identifiant et ce mot de passe ne vont pas ensemble.",
        "too-many": "Trop de tentatives. Attendez un quart d'heure, puis réessayez.",
        "choose-password": "Choisir un mot de passe",
        "your-login": "Vous vous connectez comme",
        "password-rules": "Au moins 12 caractères : une phrase convient, et il n'est pas à changer.",
        "new-password": "Nouveau mot de passe",
        "again": "Le même encore une fois",
        "keep": "Enregistrer",
        "password-short": "Le mot de passe est trop court : au moins 12 caractères.",
        "password-long": "Le mot de passe est trop long : au plus 256 caractères.",
        "password-easy": "Ce mot de passe est trop facile à deviner. Choisissez-en un autre.",
        "password-differs": "Les deux mots de passe ne sont pas les mêmes.",
        "password-set": "Votre mot de passe est enregistré",
        "link-over": "Ce lien est périmé : il a servi, a plus de sept jours, ou il y en a un plus récent.",
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
