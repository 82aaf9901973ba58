"""One module for each verb; `record` writes what a verb has decided, `referral_file` loads what it needs."""

from services.referral.use_cases import (
    answer_claim,
    changes,
    decide,
    end,
    follow,
    follow_consent,
    inquire,
    merge,
    merge_patients,
    nightly_look,
    provide_information,
    receive,
    redirect,
    remind,
    set_priority,
    unmerge_patients,
    update_task,
    urgent_triage,
    validate,
    waiting,
)
