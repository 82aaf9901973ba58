"""Which user runs the server: we ourselves, or where we are root an unprivileged one, as PostgreSQL insists.

Invariant: no folder that we did not make gets another owner or other permissions. Where the unprivileged user
cannot reach a path, the caller finds another place.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

_UNPRIVILEGED = "nobody"
_USUAL_ID = 65534


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user that owns the data and runs the server; `other` when it is not the one that we run as."""

    uid: int
    gid: int
    other: bool

    @property
    def user(self) -> int | None:
        """The `user` argument of subprocess, None for our own."""
        return self.uid if self.other else None

    @property
    def group(self) -> int | None:
        """The `group` argument of subprocess, None for our own."""
        return self.gid if self.other else None

    @property
    def extra_groups(self) -> list[int] | None:
        """The `extra_groups` argument of subprocess: none at all for another user."""
        return [] if self.other else None

    def owns(self, path: Path) -> None:
        """Give a folder that we made to this user."""
        if self.other:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Tell whether this user can get into an existing folder, or read an existing file."""
        if not self.other:
            return True
        path = path.resolve()
        passable = all(self._may(parent, stat.S_IXUSR) for parent in path.parents)
        return passable and self._may(path, stat.S_IXUSR if path.is_dir() else stat.S_IRUSR)

    def _may(self, path: Path, wanted: int) -> bool:
        found = path.stat()
        if found.st_uid == self.uid:
            return found.st_mode & wanted == wanted
        if found.st_gid == self.gid:
            return found.st_mode & wanted >> 3 == wanted >> 3
        return found.st_mode & wanted >> 6 == wanted >> 6


def server_account() -> Account:
    """Choose the user for the server."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid(), other=False)
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        return Account(uid=_USUAL_ID, gid=_USUAL_ID, other=True)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, other=True)
