"""The pages of the sign-in as HTML: plain, without a script, in two languages."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from shared.auth.people import texts
from shared.auth.people.accounts import DemoPerson
from shared.auth.people.browser import FORM_TOKEN

STYLE = """
:root { color-scheme: light dark; --paper: light-dark(#f6f5f2, #14171a); --card: light-dark(#ffffff, #1c2024);
  --ink: light-dark(#1d2327, #e8eaec); --line: light-dark(#7d858b, #7f8990);
  --accent: light-dark(#0b5c73, #6cc3dc); --on-accent: light-dark(#ffffff, #0b1a20);
  --stop: light-dark(#a3161a, #ff9c98); --stop-soft: light-dark(#fbe5e4, #43191b); }
body { background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, "Noto Sans", sans-serif;
  margin: 0; }
main { margin: 0 auto; max-width: 34rem; padding: 2rem 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
a { color: var(--accent); text-underline-offset: 2px; }
summary { cursor: pointer; margin-top: 1.5rem; min-height: 2.75rem; }
label { display: block; margin: 1rem 0 .25rem; }
input { background: var(--card); border: 1px solid var(--line); border-radius: 4px; box-sizing: border-box;
  color: inherit; font: inherit; min-height: 2.75rem; padding: .4rem .6rem; width: 100%; }
input[readonly] { background: none; border-color: transparent; font-weight: 600; padding-left: 0; }
button { background: var(--card); border: 1px solid var(--line); border-radius: 4px; color: inherit;
  cursor: pointer; font: inherit; margin: 0 0 .5rem; min-height: 2.75rem; padding: .5rem .9rem;
  text-align: left; width: 100%; }
button:hover { border-color: var(--accent); }
button.main { background: var(--accent); color: var(--on-accent); margin-top: 1.5rem; text-align: center; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.problem { background: var(--stop-soft); border-left: 4px solid var(--stop); padding: .5rem 1rem; }
@media print { .lang { display: none; } }
"""


def page(*, title: str, body: str, locale: str, clinic: str, other_language: str | None = None) -> str:
    """Write a whole page; `other_language` is its address in the other language."""
    words = texts.PAGES[locale]
    switch = ""
    if other_language is not None:
        other = texts.FRENCH if locale == texts.ENGLISH else texts.ENGLISH
        switch = (
            f'<p class="lang"><a lang="{other}" hreflang="{other}" href="{escape(other_language)}">'
            f"{escape(words['other-language'])}</a></p>"
        )
    return (
        f'<!doctype html><html lang="{locale}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · {escape(clinic)}</title>"
        '<link rel="stylesheet" href="/auth/style.css"></head>'
        f"<body><main><p>{escape(clinic)}</p><h1>{escape(title)}</h1>{body}{switch}</main></body></html>"
    )


def demo_list(people: Sequence[DemoPerson], *, action: str, token: str, locale: str) -> str:
    """Write one button for each demo person, under the part that they have."""
    words = texts.PAGES[locale]
    parties = sorted({person.party for person in people}, key=list(texts.PARTIES[locale]).index)
    by_party = {party: list(group) for party, group in _by_party(people)}
    lists = "".join(
        f"<h2>{escape(texts.PARTIES[locale][party])}</h2>"
        + "".join(_button(person, locale=locale) for person in by_party[party])
        for party in parties
    )
    return (
        f"<p>{escape(words['demo-about'])}</p>"
        f'<form method="post" action="{escape(action)}">{hidden(FORM_TOKEN, token)}{lists}</form>'
    )


def password_form(*, action: str, token: str, locale: str) -> str:
    """Write the form of a login and its password."""
    words = texts.PAGES[locale]
    return (
        f'<form method="post" action="{escape(action)}">{hidden(FORM_TOKEN, token)}'
        f'<label for="login">{escape(words["login"])}</label>'
        '<input id="login" name="login" required maxlength="255" autocomplete="username"'
        ' autocapitalize="none">'
        f'<label for="password">{escape(words["password"])}</label>'
        '<input id="password" name="password" type="password" required autocomplete="current-password">'
        f'<button class="main">{escape(words["sign-in"])}</button></form>'
    )


def new_password_form(login: str, *, action: str, token: str, locale: str) -> str:
    """Write the form in which an invited person chooses a password, twice the same."""
    words = texts.PAGES[locale]
    rules = 'type="password" required minlength="12" maxlength="256" autocomplete="new-password"'
    return (
        f'<form method="post" action="{escape(action)}">{hidden(FORM_TOKEN, token)}'
        f'<label for="login">{escape(words["your-login"])}</label>'
        f'<input id="login" value="{escape(login)}" readonly autocomplete="username">'
        f"<p>{escape(words['password-rules'])}</p>"
        f'<label for="password">{escape(words["new-password"])}</label>'
        f'<input id="password" name="password" {rules}>'
        f'<label for="again">{escape(words["again"])}</label><input id="again" name="again" {rules}>'
        f'<button class="main">{escape(words["keep"])}</button></form>'
    )


def folded_away(summary: str, content: str, *, is_open: bool) -> str:
    """Write what only some need, to be opened."""
    return f"<details{' open' if is_open else ''}><summary>{escape(summary)}</summary>{content}</details>"


def problem(text: str) -> str:
    """Write what went wrong, so that a screen reader says it."""
    return f'<p class="problem" role="alert">{escape(text)}</p>'


def link(text: str, *, to: str) -> str:
    """Write a link in a paragraph of its own."""
    return f'<p><a href="{escape(to)}">{escape(text)}</a></p>'


def hidden(name: str, value: str) -> str:
    """Write a field that a form brings along."""
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _by_party(people: Sequence[DemoPerson]) -> Iterable[tuple[str, Iterable[DemoPerson]]]:
    return groupby(sorted(people, key=lambda person: person.party), key=lambda person: person.party)


def _button(person: DemoPerson, *, locale: str) -> str:
    told = person.name
    if person.discipline is not None:
        told = f"{told}, {texts.DISCIPLINES[locale][person.discipline]}"
    return f'<button name="person" value="{escape(person.id)}">{escape(told)}</button>'
