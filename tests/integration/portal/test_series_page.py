"""A series as one thing on pages: its sessions, the dates shown first, then the act."""

from datetime import datetime, timedelta
from typing import Any

from tests.support import referrals
from tests.support.browser import Browser
from tests.support.clinic import TestClinic


async def found(clinic: TestClinic, query: str) -> list[dict[str, Any]]:
    answer = await clinic.as_("coordinator").get(
        f"/scheduling/fhir/Appointment?{query}&_sort=date&_count=100"
    )
    return [entry["resource"] for entry in answer.json().get("entry", [])]


async def seen_first(clinic: TestClinic) -> str:
    """Let a patient of the chronic pain programme be seen for the first time, and give the series."""
    sent = referrals.bundle(programme="chronic-pain", family="Tanabe")
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=sent)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    [first] = await found(clinic, "appointment-type=first")
    await clinic.at(datetime.fromisoformat(first["end"]))
    path = f"/scheduling/fhir/Appointment/{first['id']}"
    current = (await clinic.as_("coordinator").get(path)).json()
    version = {"If-Match": f'W/"{current["meta"]["versionId"]}"'}
    body = current | {"status": "fulfilled"}
    done = await clinic.as_("coordinator").put(path, json=body, headers=version)
    assert done.status_code == 200, done.text
    await clinic.settle()
    session, *_ = await found(clinic, "appointment-type=session&status=booked")
    return str(session["supportingInformation"][0]["reference"]).rpartition("/")[2]


async def test_shows_the_dates_first_and_cancels_then(clinic: TestClinic, browser: Browser) -> None:
    series = await seen_first(clinic)
    before = await found(clinic, "appointment-type=session&status=booked")
    await browser.sign_in("coordinator")
    page = await browser.open(f"/series/{series}")
    assert "Series · Tanabe" in page.text
    assert "Psychology" in page.text
    session = before[-2]
    assert f'href="/series/{series}"' in (await browser.open(f"/visits/{session['id']}")).html
    patient = session["participant"][0]["actor"]["reference"].rpartition("/")[2]
    assert f"A series of {len(before)} visits" in (await browser.open(f"/patients/{patient}")).text

    wanted = {
        "act": "cancel-sessions",
        "scope": "following",
        "session": session["id"],
        "reason": "Moves away.",
    }
    shown = await browser.send(page, page.form("series"), **wanted)
    assert "Nothing is changed yet" in shown.text
    assert len(await found(clinic, "appointment-type=session&status=booked")) == len(before)
    done = await browser.send(shown, shown.form("series"), **wanted, confirmed="yes")
    assert done.path.startswith(f"/series/{series}"), done.text
    await clinic.settle()
    left = await found(clinic, "appointment-type=session&status=booked")
    assert [one["id"] for one in left] == [one["id"] for one in before[:-2]]


def led_by(visits: list[dict[str, Any]]) -> set[str]:
    actors = [one["actor"]["reference"] for visit in visits for one in visit["participant"]]
    return {actor.rpartition("/")[2] for actor in actors if "Practitioner/" in actor}


async def test_gives_sessions_to_another_clinician_once_it_showed_which(
    clinic: TestClinic, browser: Browser
) -> None:
    series = await seen_first(clinic)
    before = await found(clinic, "appointment-type=session&status=booked")
    await browser.sign_in("coordinator")
    page = await browser.open(f"/series/{series}")
    mine = [one for one in before if one["specialty"][0]["coding"][0]["code"] == "physiotherapy"]
    [old] = led_by(mine)
    new = next(one for one in ("physiotherapist", "physiotherapist-2") if one != old)
    assert f'<option value="{new}">' in page.html
    assert '<option value="physiatrist">' not in page.html
    last = mine[-1]["id"]
    wanted = {"act": "move-sessions", "scope": "one", "session": last, "practitioner": new}
    refused = await browser.send(page, page.form("series"), **wanted)
    assert refused.status == 422
    assert "cannot be moved so, and so none is" in refused.text
    half = wanted | {"day": "2026-04-23"}
    assert (await browser.send(page, page.form("series"), **half)).status == 422
    day = datetime.fromisoformat(mine[-1]["start"]).date() + timedelta(days=1)
    later = wanted | {"day": day.isoformat(), "time": "11:00"}
    shown = await browser.send(page, page.form("series"), **later)
    assert "Luc Tremblay" in shown.text
    assert led_by(await found(clinic, f"_id={last}")) == {old}
    done = await browser.send(shown, shown.form("series"), **later, confirmed="yes")
    assert done.path.startswith(f"/series/{series}"), done.text
    assert led_by(await found(clinic, f"_id={last}")) == {new}
    page = await browser.open(f"/series/{series}")
    room = {"act": "move-sessions", "scope": "one", "session": mine[0]["id"], "room": "treatment-1"}
    assert (
        "stays at its time, with Maja Lindqvist, Treatment room 1"
        in (await browser.send(page, page.form("series"), **room)).text
    )


async def test_names_what_is_missing(clinic: TestClinic, browser: Browser) -> None:
    series = await seen_first(clinic)
    await browser.sign_in("coordinator")
    page = await browser.open(f"/series/{series}")
    wrong = await browser.send(page, page.form("series"), act="hold")
    assert wrong.status == 422
    assert "Something is missing or wrong" in wrong.text
