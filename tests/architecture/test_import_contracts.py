"""Each import contract of pyproject.toml holds, and breaks where somebody plants what it forbids."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    contract["id"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
PLANTED = [
    # contract, file of the copied tree, line that is added to it
    ("services", "services/referral/states.py", "import services.scheduling.states"),
    ("services", "services/notifications/queries/planted.py", "import services.careteam.models"),
    ("services", "services/portal/calls.py", "import services.referral.states"),
    ("portal", "services/portal/labels.py", "import services.portal.calls"),
    ("portal", "services/portal/helpers.py", "import services.portal.labels"),
    ("shared", "shared/act.py", "import services.referral.states"),
    ("deploy", "shared/act.py", "import deploy.services"),
    ("deploy", "services/careteam/states.py", "import deploy.settings"),
    ("rooms", "services/referral/states.py", "import services.referral.models"),
    ("rooms", "services/careteam/models.py", "import services.careteam.queries"),
    ("rooms", "services/scheduling/fhir.py", "import services.scheduling.rules"),
    ("rooms", "services/scheduling/use_cases/__init__.py", "import services.scheduling.handlers"),
    ("rooms", "services/referral/handlers.py", "import services.referral.api"),
    ("rooms", "services/referral/use_cases/planted.py", "import services.referral.operations"),
    ("rooms", "services/referral/helpers.py", "import services.referral.states"),
    ("kafka", "services/referral/states.py", "import aiokafka"),
    ("kafka", "shared/db/database.py", "import aiokafka"),
    ("web", "services/scheduling/use_cases/__init__.py", "import starlette"),
    ("web", "shared/events/outbox/publishing.py", "import fastapi"),
    ("rules", "services/scheduling/rules/planted.py", "import sqlalchemy"),
    ("rules", "services/careteam/rules/planted.py", "import shared.clock"),
    ("rules", "services/referral/rules/planted.py", "import shared.fhir.store"),
    ("fhir-library", "services/referral/states.py", "import fhir.resources"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, to plant in."""
    copy = tmp_path_factory.mktemp("contracts") / "tree"
    copy.mkdir()
    for package in ("services", "shared", "deploy"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_every_contract_holds(tree: Path) -> None:
    found = lint_imports(tree)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(("contract", "path", "line"), PLANTED)
def test_a_planted_import_breaks_its_contract(tree: Path, contract: str, path: str, line: str) -> None:
    file = planting_place(tree, path)
    before = file.read_text() if file.exists() else None
    file.write_text(f"{before or ''}\n{line}\n")
    try:
        found = lint_imports(tree, "--contract", contract)
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "BROKEN" in found.stdout or "not listed as layers" in found.stdout.replace("\n", " ")


def test_every_contract_was_seen_broken() -> None:
    assert {contract for contract, _, _ in PLANTED} == CONTRACTS


def planting_place(tree: Path, path: str) -> Path:
    """Find the file, whether its room is one file or has become a folder."""
    file = tree / path
    if file.name == "planted.py" and not file.parent.is_dir():
        return file.parent.with_suffix(".py")
    folder = file.with_suffix("")
    if folder.is_dir():
        return folder / "__init__.py"
    if file.name == "__init__.py" and not file.parent.is_dir():
        return file.parent.with_suffix(".py")
    return file


def lint_imports(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the copy, where its packages shadow ours."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--cache-dir", tree.parent / "cache", *arguments]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
