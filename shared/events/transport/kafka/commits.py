"""Committing offsets beside the work: what was handled is noted at once and told to the broker in turn.

Invariants:
- Only what was handled is committed, and of a partition only its newest offset.
- A commit that fails because the group has changed is forgotten: whoever has the partition now reads again
  from the last one that did not fail, and the inbox knows what was handled. Any other failure is repeated:
  at once, or with the next offset where nobody foresaw it.
"""

import asyncio
from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

log = structlog.get_logger("lumbar.transport")

_PAUSE = 0.25


class Commits:
    """The offsets of one membership that are to be committed; `done` has those that were."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self.done: dict[TopicPartition, int] = {}
        self._consumer = consumer
        self._noted: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None

    def note(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Have everything before these offsets committed soon."""
        self._noted.update(offsets)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())

    async def flush(self, *, at_most: float) -> None:
        """Wait until all is committed, but not longer than so many seconds; what is left is forgotten."""
        committing = self._committing
        if committing is not None:
            await asyncio.wait({committing}, timeout=at_most)
        self.forget()

    def forget(self) -> None:
        """Commit nothing of what is noted, and know nothing of what was."""
        self._noted.clear()
        self.done.clear()
        committing, self._committing = self._committing, None
        if committing is not None:
            committing.cancel()

    async def _commit_all(self) -> None:
        try:
            while self._noted:
                noted = dict(self._noted)
                if not await self._commit(noted):
                    await asyncio.sleep(_PAUSE)
                    continue
                for place, offset in noted.items():
                    if self._noted.get(place) == offset:
                        del self._noted[place]
        finally:
            # Whatever ends this attempt, the next note begins another; a forgotten one has a successor.
            if self._committing is asyncio.current_task():
                self._committing = None

    async def _commit(self, noted: dict[TopicPartition, int]) -> bool:
        try:
            await self._consumer.commit(noted)
        except (CommitFailedError, IllegalStateError):
            log.info("kafka.commit-forgotten", count=len(noted))
        except KafkaError as error:
            log.warning("kafka.commit-failed", error=type(error).__name__)
            return False
        else:
            self.done.update(noted)
        return True
