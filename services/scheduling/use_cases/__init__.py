"""One module for each verb; `record` writes and publishes what a verb has decided.

`availability_search` finds the earliest times, `availability_cache` holds what it need not work out again.
"""

from services.scheduling.use_cases import (
    accept,
    authorize,
    away,
    book_planned_day,
    book_visit,
    cancel_group,
    change,
    change_absence,
    change_priority,
    change_roster,
    correct,
    end,
    evaluate_guarantee,
    find_free_time,
    find_remedies,
    find_times,
    follow_patient,
    holds,
    keep_forecast,
    offer_time,
    plan_first_visits,
    publish_directory,
    read_work,
    replan,
    seed_rosters,
    settle_visits,
    show_board,
    show_calendar,
    show_forecast,
    try_waiting,
)
