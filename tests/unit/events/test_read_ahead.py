"""What was fetched is returned topic by topic, or merged in the order in which events were made."""

from shared.events.transport.base import Record
from shared.events.transport.read_ahead import ReadAhead

IDS = [f"01a22730-214f-70cf-8d7d-{number:012d}" for number in range(9)]


def records(topic: str, *made: int, partition: int = 0) -> list[Record]:
    """Make records of one partition whose events were made in this order."""
    return [
        Record(
            topic=topic,
            partition=partition,
            offset=place,
            key=str(number),
            headers={"ce_id": IDS[number]},
            value=b"",
        )
        for place, number in enumerate(made)
    ]


def taken(ahead: ReadAhead, *, limit: int = 99) -> list[int]:
    return [int(record.key) for record in ahead.take(limit=limit)]


def filled(*, merged: bool) -> ReadAhead:
    ahead = ReadAhead(merged=merged)
    for made in (records("a", 1, 4), records("b", 2, 5), records("a", 0, 3, partition=1)):
        ahead.add(made)
    return ahead


def test_the_topic_whose_next_event_is_oldest_has_its_turn() -> None:
    ahead = filled(merged=False)
    assert (taken(ahead), taken(ahead), ahead.records) == ([1, 4, 0, 3], [2, 5], 0)


def test_merged_topics_are_returned_in_the_order_of_making() -> None:
    ahead = filled(merged=True)
    assert (taken(ahead, limit=4), ahead.records, taken(ahead)) == ([0, 1, 2, 3], 2, [4, 5])


def test_a_partition_stays_in_its_order_whatever_the_ids_say() -> None:
    ahead = ReadAhead(merged=True)
    ahead.add(records("a", 7, 1))
    ahead.add(records("b", 3))
    assert taken(ahead) == [3, 7, 1]
