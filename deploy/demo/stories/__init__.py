"""The stories, one script each."""

from deploy.demo.stories import (
    s01_rapid_access,
    s02_cauda_equina,
    s03_something_missing,
    s04_workplace_insurer,
    s05_motor_insurer_pends,
    s06_denied,
    s07_under_eighteen,
    s08_sent_again,
    s09_revoked,
    s10_clinic_full,
    s11_missed,
    s12_chronic_pain,
    s13_corrected,
    s14_urgent,
    s15_one_person,
    s16_mri_report,
    s17_came_by_fax,
    s18_questions,
)
from deploy.demo.story import Play

STORIES: dict[int, tuple[str, Play]] = {
    1: (s01_rapid_access.TITLE, s01_rapid_access.play),
    2: (s02_cauda_equina.TITLE, s02_cauda_equina.play),
    3: (s03_something_missing.TITLE, s03_something_missing.play),
    4: (s04_workplace_insurer.TITLE, s04_workplace_insurer.play),
    5: (s05_motor_insurer_pends.TITLE, s05_motor_insurer_pends.play),
    6: (s06_denied.TITLE, s06_denied.play),
    7: (s07_under_eighteen.TITLE, s07_under_eighteen.play),
    8: (s08_sent_again.TITLE, s08_sent_again.play),
    9: (s09_revoked.TITLE, s09_revoked.play),
    10: (s10_clinic_full.TITLE, s10_clinic_full.play),
    11: (s11_missed.TITLE, s11_missed.play),
    12: (s12_chronic_pain.TITLE, s12_chronic_pain.play),
    13: (s13_corrected.TITLE, s13_corrected.play),
    14: (s14_urgent.TITLE, s14_urgent.play),
    15: (s15_one_person.TITLE, s15_one_person.play),
    16: (s16_mri_report.TITLE, s16_mri_report.play),
    17: (s17_came_by_fax.TITLE, s17_came_by_fax.play),
    18: (s18_questions.TITLE, s18_questions.play),
}
