"""One module for each verb; `record` writes what a verb has decided, `load` finds what a caller names."""

from services.careteam.use_cases import (
    action_overdue,
    bring_case,
    change_team,
    close_meeting,
    decide_case,
    draft_plan,
    end_referral,
    form_team,
    load,
    open_meeting,
    post_message,
    publish_agenda,
    record_answers,
    record_rating,
    review_progress,
    save_goal,
    save_plan,
    schedule_meeting,
    sign_minutes,
    update_action,
)
