"""What a correction changes of the facts, each by the code under which it is asked for."""

from collections.abc import Hashable, Mapping

from services.referral.models.facts import Facts


def differences(before: Facts, after: Facts) -> list[str]:
    """Name each answer, day and other fact that is not the same."""
    changed = [
        *_differing(before.answers, after.answers),
        *_differing(before.days, after.days),
        *sorted(before.unread ^ after.unread),
    ]
    pairs = {
        "birth-date": (before.birth_date, after.birth_date),
        "reason-for-referral": (before.says_what, after.says_what),
        "programme": (before.programme, after.programme),
        "payer": (before.coverages, after.coverages),
        "consent": (before.consents, after.consents),
        "start-back": (before.start_back, after.start_back),
        "unavailable": (before.unavailable, after.unavailable),
    }
    changed += [name for name, (earlier, later) in pairs.items() if earlier != later]
    return list(dict.fromkeys(changed))


def _differing(before: Mapping[str, Hashable], after: Mapping[str, Hashable]) -> list[str]:
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]
