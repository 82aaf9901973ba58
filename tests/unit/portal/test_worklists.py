"""What a coordinator's first tile counts, and what it may not pretend to know."""

from typing import Any

from services.portal import worklists
from services.portal.calls import Answer


def listed(*signs: str, service: str = "careteam", next: str | None = None, kind: str = "action") -> Any:
    rows = [{"kind": kind, "urgency": sign} for sign in signs]
    body = {"total": len(rows), "next": next, "counts": {}, "rows": rows}
    return worklists.read(Answer(status=200, body=body), service)


class TestUrgent:
    def test_counts_what_is_overdue_over_all_lists(self) -> None:
        lists = [listed("stop", "risk", service="referral"), listed("stop", "stop")]
        assert worklists.urgent(lists) == "3"

    def test_says_that_more_may_follow_where_a_whole_page_is_overdue(self) -> None:
        assert worklists.urgent([listed("stop", "stop", next="x"), listed()]) == "2+"
        assert worklists.urgent([listed("stop", "risk", next="x"), listed()]) == "1"

    def test_leaves_promises_to_their_board(self) -> None:
        assert worklists.urgent([listed("stop", service="scheduling", kind="guarantee")]) == "0"

    def test_is_unknown_where_a_list_cannot_be_read(self) -> None:
        assert worklists.urgent([listed("stop"), None]) is None
