"""A full disk under the broker or the database: a small file system of its own, filled to the last byte."""

import asyncio
import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.clock import monotonic
from tests.failure.full.faults import answers_again
from tests.failure.full.run import Fault, Harm, Run
from tests.failure.traffic import Traffic

_FILLER = "filler"
_PIECE = b"\0" * 65536


class NoMount(Exception):
    """This machine does not let us mount a file system."""


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[None]:
    """Mount a file system of this size for the length of the block; raises NoMount where none is allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "lumbar-test", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoMount(str(error)) from error
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


def full_disk(name: str, folder: Path, seconds: float) -> Fault:
    """Fill the disk of `kafka` or `postgres`, which is at `folder`, and make room after some seconds."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        await asyncio.sleep(5)
        filler = folder / _FILLER
        begin = monotonic()
        filling = asyncio.create_task(_keep_full(filler))
        await asyncio.sleep(seconds)
        filling.cancel()
        until = monotonic()
        filler.unlink(missing_ok=True)
        ended = run.place.cluster.processes[name].poll() is not None
        if ended:
            run.place.cluster.start_process(name)
        remark = f"{name} {'ended and was started again' if ended else 'went on by itself'}"
        recovery = await answers_again(traffic)
        return Harm(injected=1, since=begin, until=until, recoveries=[recovery], remarks=[remark])

    return fault


async def _keep_full(filler: Path) -> None:
    """Take every byte that becomes free."""
    while True:
        _fill(filler)
        await asyncio.sleep(0.2)


def _fill(filler: Path) -> None:
    with filler.open("ab", buffering=0) as file:
        for piece in (_PIECE, b"\0"):
            try:
                while True:
                    file.write(piece)
                    if piece is not _PIECE:
                        break
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        os.fsync(file.fileno())
