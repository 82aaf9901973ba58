"""Become the server: step down, ask to die with the parent, and exec.

A small program of its own, because a process with threads may not run Python between fork and exec: a lock
that another thread held at the fork is held for ever in the child. It uses the standard library alone.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_NOBODY = "0"


def launch(parent: str, last_signal: str, uid: str, gid: str, *command: str) -> None:
    """Replace this process by `command`, run as `uid` and `gid` where they are given.

    It gets `last_signal` when the process `parent` dies, unless that is 0 or the system has no such thing.
    """
    if uid:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    # After the change of user, which would clear it.
    if parent != _NOBODY and sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.Signals[last_signal])
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    launch(*sys.argv[1:])
