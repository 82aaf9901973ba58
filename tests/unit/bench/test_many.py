"""Copies of stored referrals are others than those that they were copied from."""

from bench.many import Base, _renamed, _with_later_offsets

_FIRST = b"01a20231-5476-7040-b8c0-1892db6061fe"
_SECOND = b"01a20240-0000-7040-b8c0-1892db6061fe"
BASE = Base(referrals=2, prefixes=[_FIRST[:7], _SECOND[:7]], text={}, columns={}, ends={})


def test_every_copy_has_ids_cards_and_numbers_of_its_own() -> None:
    row = b"%s\t%s\tcard|7770000012\tBN-00000012\n" % (_FIRST, _SECOND)
    copies = [_renamed(row, BASE, number) for number in range(1, 100)]
    for place in range(4):
        assert len({copy.split(b"\t")[place] for copy in [*copies, row]}) == 100
    assert len({part for copy in copies for part in copy.split(b"\t")[:2]}) == 198


def test_offsets_of_copies_go_on_behind_the_log() -> None:
    rows = b"feed\t0\tkey\nfeed\t1\tkey\n"
    assert _with_later_offsets(rows, {"feed": 7}) == b"feed\t7\tkey\nfeed\t8\tkey\n"
