"""The runbook's commands exist: an operator at night must not find out that they do not."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from deploy.cli import app
from tests.support.alerts import PAGES, ROOT, alerts, expressions
from tests.support.promql import parse

PLACEHOLDERS = ("GROUP", "KEY", "TOPIC", "OFFSET")
PROGRAMS = frozenset(("lumbar", "curl", "grep", "psql"))
SECTIONS = ["Look", "Do", "Do not", "Wake"]
INDEX = ROOT / "docs" / "runbook.md"


def commands(page: Path) -> list[str]:
    """Give the lines of the shell blocks of a page."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def check(line: str) -> None:
    """Fail where a program, a subcommand or an option of `lumbar` does not exist."""
    for part in re.split(r"(?<!['\\])\s\|\s", line):
        words = shlex.split(part)
        assert words[0] in PROGRAMS, f"{line}: what is {words[0]}?"
        if words[0] == "lumbar":
            check_lumbar(words[1:], line)


def check_lumbar(words: list[str], line: str) -> None:
    """Walk the commands of `lumbar` as far as the words go."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{line}: there is no {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    assert not hasattr(command, "commands"), f"{line}: is not finished"
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        assert not word.startswith("-") or word in known, f"{line}: there is no option {word}"
        assert word.startswith("-") or not word.isupper() or word in PLACEHOLDERS, f"{line}: what is {word}?"


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_says_what_it_means_and_its_commands_exist(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}: ")
    assert "**For patients.**" in text
    assert re.findall(r"^## (.+)$", text, re.M) == SECTIONS
    assert commands(page)
    for line in commands(page):
        check(line)


@pytest.mark.parametrize("page", [INDEX, *sorted(PAGES.glob("*.md"))], ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_the_index_lists_every_alert_with_its_severity() -> None:
    text = INDEX.read_text()
    for name, rule in alerts().items():
        assert f"| [{name}](runbook/{name}.md) | {rule['labels']['severity']} |" in text


def test_the_figures_that_pages_name_are_those_of_alerts_and_dashboard() -> None:
    asked = set[str]().union(*(parse(expression).names() for expression in expressions()))
    for page in PAGES.glob("*.md"):
        for name in re.findall(
            r"\b(?:lumbar|messaging|http_server|db_client|process|cpython)_[a-z_]+", page.read_text()
        ):
            assert any(known.startswith(name) for known in asked), f"{page.stem}: {name}"


@pytest.mark.parametrize(
    "wrong",
    [
        "lumbar dead-letters lsit",
        "lumbar events tail --topics x",
        "lumbar events",
        "rm -rf x",
        "lumbar up NOW",
    ],
)
def test_a_command_that_does_not_exist_is_seen(wrong: str) -> None:
    with pytest.raises(AssertionError):
        check(wrong)
