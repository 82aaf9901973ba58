"""What the machine says: processor time and memory of processes from /proc, and how fast it is just now."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_KB = 1024


@dataclass(frozen=True, slots=True)
class Process:
    """One process: its parent, its name, and its processor seconds with those of its ended children."""

    pid: int
    parent: int
    name: str
    seconds: float


def spin() -> float:
    """Time a fixed loop of Python, in milliseconds: the machine's speed at this moment."""
    started = time.perf_counter()
    total = 0
    for number in range(100_000):
        total += number * number
    return (time.perf_counter() - started) * 1000


def tree(root: int) -> list[Process]:
    """Give a process and everything below it."""
    found = {process.pid: process for process in _all()}
    mine, wanted = [], [root]
    while wanted:
        pid = wanted.pop()
        if pid in found:
            mine.append(found[pid])
        wanted += [one.pid for one in found.values() if one.parent == pid]
    return mine


def cpu(root: int) -> dict[str, float]:
    """Give the processor seconds of a clinic's process tree: `postgres` and everything else, `python`."""
    processes = tree(root)
    postgres = sum(one.seconds for one in processes if one.name == "postgres")
    return {"python": sum(one.seconds for one in processes) - postgres, "postgres": postgres}


def memory(root: int) -> dict[str, float]:
    """Give the memory of a process tree in MB, shared pages by their share (PSS)."""
    sizes: dict[str, float] = {"python": 0.0, "postgres": 0.0}
    for process in tree(root):
        sizes["postgres" if process.name == "postgres" else "python"] += _pss(process.pid)
    return sizes


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    return next((int(line.split()[1]) / _PAGE_KB for line in lines if line.startswith("Pss:")), 0.0)


def _all() -> list[Process]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name, _, rest = text.partition("(")[2].rpartition(")")
        fields = rest.split()
        seconds = sum(int(ticks) for ticks in fields[11:15]) * _TICK
        found.append(Process(int(stat.parent.name), int(fields[1]), name, seconds))
    return found
