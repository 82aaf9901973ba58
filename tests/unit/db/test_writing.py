"""One statement for many parts: which shape its parameters have."""

from itertools import product

from shared.db import Write
from shared.db.writing import statement

NOTE = Write.into("note", {"id": "int4", "text": "text"})
TAG = Write.into("tag", {"id": "int4", "texts": "text[]"}, in_order=True)


def test_a_single_row_is_sent_as_values_and_several_as_arrays() -> None:
    sql, values = statement({NOTE: [(1, "a")], TAG: [(1, ["b"]), (2, [])]})
    assert values == [1, "a", [1, 2], ['{"b"}', "{}"]]
    assert "(SELECT $1::int4, $2::text) AS r" in sql
    assert "unnest($3::int4[], $4::text[]) WITH ORDINALITY" in sql


def test_the_text_depends_on_the_shape_and_never_on_the_number_of_rows() -> None:
    texts = {statement({NOTE: [(number, "a") for number in range(many)]})[0] for many in range(1, 9)}
    assert len(texts) == 2


def test_only_the_newest_row_of_a_key_counts_for_the_shape() -> None:
    keyed = Write.into("timer", {"ref": "text", "due": "int4"}, key=("ref",))
    _, values = statement({keyed: [("a", 1), ("a", 2)]})
    assert values == ["a", 2]


def test_parts_that_come_in_many_shapes_go_as_arrays_after_the_fourth() -> None:
    parts = [Write.into(f"table_{number}", {"id": "int4"}) for number in range(4)]
    texts = {
        statement(dict(zip(parts, [[(1,)] * many for many in counts], strict=True)))[0]
        for counts in product((1, 2), repeat=4)
    }
    assert len(texts) == 5
