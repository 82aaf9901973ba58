"""The topics: one per publishing service, made from this table and from nothing else.

Everything that one service says about one patient stays in order; between topics there is no order. There is
no compaction: a repeated old record would win.
"""

from dataclasses import dataclass

REFERRAL = "lumbar.referral"
SCHEDULING = "lumbar.scheduling"
CARETEAM = "lumbar.careteam"
NOTIFICATIONS = "lumbar.notifications"
FEED = "feed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic, the service that publishes to it, its partitions on Kafka and its retention in days."""

    name: str
    publisher: str
    partitions: int
    retention_days: int


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic(name=REFERRAL, publisher="referral", partitions=6, retention_days=30),
        Topic(name=SCHEDULING, publisher="scheduling", partitions=6, retention_days=30),
        Topic(name=CARETEAM, publisher="careteam", partitions=6, retention_days=30),
        Topic(name=NOTIFICATIONS, publisher="notifications", partitions=6, retention_days=30),
        Topic(name=FEED, publisher="notifications", partitions=1, retention_days=30),
    )
}


def topics_of(publisher: str) -> frozenset[str]:
    """Name the topics that a service publishes to."""
    return frozenset(topic.name for topic in TOPICS.values() if topic.publisher == publisher)
