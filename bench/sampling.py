"""Where the processor time goes: samples of processor time, by label and by function.

The kernel gives a signal at most at each of its ticks (4 ms at 250 Hz), so a sample's worth is measured: the
processor time of the process over the number of samples.
"""

import signal
import sysconfig
import time
from collections import Counter
from types import FrameType

from bench.counting import LABEL

_INTERVAL = 0.001
_LIBRARY = sysconfig.get_paths()["purelib"]
_STANDARD = sysconfig.get_paths()["stdlib"]

by_label: Counter[str] = Counter()
own: Counter[tuple[str, str]] = Counter()
below: Counter[tuple[str, str]] = Counter()
packages: Counter[tuple[str, str]] = Counter()
_since = [0.0]


def install() -> None:
    """Sample this process from now on; must be called in the main thread."""
    signal.signal(signal.SIGPROF, _sample)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)


def forget() -> None:
    """Begin anew."""
    for counter in (by_label, own, below, packages):
        counter.clear()
    _since[0] = time.process_time()


def worth() -> float:
    """Tell how many milliseconds of processor time stand behind one sample."""
    return (time.process_time() - _since[0]) * 1000 / max(1, sum(by_label.values()))


def _sample(_: int, frame: FrameType | None) -> None:
    label = LABEL.get()
    by_label[label] += 1
    if frame is None:
        return
    own[label, _name(frame)] += 1
    packages[label, _package(frame.f_code.co_filename)] += 1
    seen = set()
    at: FrameType | None = frame
    while at is not None:
        name = _name(at)
        if name not in seen:
            seen.add(name)
            below[label, name] += 1
        at = at.f_back


def _name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{_short(code.co_filename)}:{code.co_firstlineno} {code.co_qualname}"


def _short(path: str) -> str:
    for prefix in (_LIBRARY, _STANDARD):
        if path.startswith(prefix):
            return path[len(prefix) + 1 :]
    return "/".join(path.split("/")[-4:])


def _package(path: str) -> str:
    if path.startswith(_LIBRARY):
        return path[len(_LIBRARY) + 1 :].split("/")[0]
    if path.startswith(_STANDARD) or path.startswith("<"):
        return "python"
    parts = path.split("/")
    known = ("services", "shared", "deploy", "bench")
    return next((f"{part}/{parts[parts.index(part) + 1]}" for part in known if part in parts), "other")
