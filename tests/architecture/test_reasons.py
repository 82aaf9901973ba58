"""Every reason that a service gives has its sentence there, with just these arguments, and none is idle."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

from shared.reasons import AS_WRITTEN

ROOT = Path(__file__).parents[2]
SERVICES = ("referral", "scheduling", "careteam", "notifications")
SENTENCES = {"full": "nothing is free on {day}", "idle": "nobody says this"}


def reasons_in(source: str) -> Iterator[tuple[str | None, set[str]]]:
    """Return the code and the arguments of each `Reason.of` in a file; None for a code made elsewhere."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Reason.of":
            first = node.args[0] if node.args else None
            code = first.value if isinstance(first, ast.Constant) else None
            yield code, {keyword.arg or "**" for keyword in node.keywords}


def faults(sources: Iterable[str], sentences: Mapping[str, str]) -> list[str]:
    """Name every reason without its sentence, with other arguments than it has, and every idle sentence."""
    given = [reason for source in sources for reason in reasons_in(source)]
    found = [f"{code} has no sentence" for code, _ in given if code not in sentences]
    for code, arguments in given:
        wanted = {name for _, name, _, _ in Formatter().parse(sentences.get(code or "", "")) if name}
        if code in sentences and arguments != wanted:
            found.append(f"{code} is given {sorted(arguments)} for {sorted(wanted)}")
    return found + [f"{code} is idle" for code in sentences if code not in {code for code, _ in given}]


def words_given(source: str) -> list[str]:
    """Name every reason that a file gives in words of its own instead of by a code."""
    return [
        f"{node.lineno}: {ast.unparse(keyword)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in ("reason", "reasons") and any(map(_is_sentence, ast.walk(keyword.value)))
    ]


def _is_sentence(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and " " in str(node.value))


@pytest.mark.parametrize("service", SERVICES)
def test_no_reason_is_given_in_words_of_the_code(service: str) -> None:
    sources = sorted((ROOT / "services" / service).rglob("*.py"))
    assert {path.name: given for path in sources if (given := words_given(path.read_text()))} == {}


@pytest.mark.parametrize(
    "source", ["move(reason='It is so.')", "move(reason=[f'by {who}'])", "move(reason=TEXT.format(who=who))"]
)
def test_a_planted_sentence_is_seen(source: str) -> None:
    assert words_given(source)
    assert not words_given("move(reason=[Reason.of('by', who=who), as_written(words)])")


@pytest.mark.parametrize("service", SERVICES)
def test_every_reason_has_its_sentence_and_every_sentence_its_reason(service: str) -> None:
    sources = [path.read_text() for path in sorted((ROOT / "services" / service).rglob("*.py"))]
    sentences = import_module(f"services.{service}.texts").REASONS
    assert AS_WRITTEN not in sentences
    assert faults(sources, sentences) == []


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("Reason.of('closed')", "closed has no sentence"),
        ("Reason.of(code)", "None has no sentence"),
        ("Reason.of('full')", "full is given [] for ['day']"),
        ("Reason.of('full', day=today, hour=9)", "full is given ['day', 'hour'] for ['day']"),
    ],
)
def test_a_planted_fault_is_seen(source: str, told: str) -> None:
    assert told in faults([source], SENTENCES)


def test_a_code_of_two_services_has_one_sentence() -> None:
    known: dict[str, str] = {}
    for service in SERVICES:
        sentences = import_module(f"services.{service}.texts").REASONS
        different = {code for code, sentence in sentences.items() if known.get(code, sentence) != sentence}
        assert different == set(), service
        known |= sentences


def test_a_sentence_that_nobody_says_is_seen() -> None:
    assert faults(["Reason.of('full', day=today)"], SENTENCES) == ["idle is idle"]
