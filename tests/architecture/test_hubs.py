"""A folder's `__init__.py` hands on its modules and no names: a caller says in which module a name stands."""

from pathlib import Path

import pytest

from tests.architecture.house_rules import names_out_of_a_hub

ROOT = Path(__file__).parents[2]


def test_a_hub_imports_its_own_modules_and_no_names() -> None:
    hubs = (ROOT / "services").rglob("__init__.py")
    found = {str(path.relative_to(ROOT)): list(names_out_of_a_hub(path, root=ROOT)) for path in hubs}
    assert {hub: names for hub, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line", ["from planted.hub.states import State", "from planted.hub.states import State as Where"]
)
def test_a_planted_name_is_seen(tmp_path: Path, line: str) -> None:
    assert list(names_out_of_a_hub(_hub(tmp_path, line), root=tmp_path)) == ["State"]


def test_a_module_of_its_own_and_somebody_else_s_name_are_let_through(tmp_path: Path) -> None:
    usual = "from planted.hub import states\nfrom planted.hubs import Hub"
    assert list(names_out_of_a_hub(_hub(tmp_path, usual), root=tmp_path)) == []


def _hub(folder: Path, code: str) -> Path:
    hub = folder / "planted" / "hub"
    hub.mkdir(parents=True)
    (hub / "states.py").touch()
    (hub / "__init__.py").write_text(code)
    return hub / "__init__.py"
