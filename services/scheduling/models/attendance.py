"""What became of visits, as figures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceRow:
    """How many visits of a programme and of a kind took place, were missed or called off, and by whom.

    `late` and `late_units` are parts of `called_off_by_patient`.
    """

    programme: str
    kind: str
    took_place: int
    missed: int
    left_unseen: int
    called_off_by_patient: int
    late: int
    late_units: int
    called_off_by_clinic: int
    unrecorded: int
