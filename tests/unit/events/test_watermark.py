"""From which id on the relay looks: only below what nobody can still write."""

from shared.events.outbox.watermark import Watermark


def look(mark: Watermark, *, newest: int | None, oldest: int, next_one: int, everything: bool = True) -> None:
    mark.looked(newest=newest, everything=everything, oldest_running=oldest, next_to_run=next_one)


def swept(mark: Watermark) -> int:
    """Look once for everything, which is due, and once more."""
    mark.begin()
    return mark.begin()


def test_the_first_look_is_for_everything() -> None:
    assert Watermark().begin() == 0


def test_what_a_running_transaction_may_still_write_is_looked_for() -> None:
    mark = Watermark()
    mark.begin()
    look(mark, newest=5000, oldest=90, next_one=100)
    look(mark, newest=6000, oldest=99, next_one=110)

    assert mark.begin() == 0


def test_a_look_begins_below_what_every_transaction_of_that_time_has_left_behind() -> None:
    mark = Watermark()
    mark.begin()
    look(mark, newest=5000, oldest=90, next_one=100)
    look(mark, newest=6000, oldest=100, next_one=110)

    assert mark.begin() == 4000


def test_a_look_that_did_not_see_everything_proves_nothing() -> None:
    mark = Watermark()
    mark.begin()
    look(mark, newest=5000, oldest=100, next_one=100, everything=False)
    look(mark, newest=6000, oldest=200, next_one=200, everything=False)

    assert swept(mark) == 0
