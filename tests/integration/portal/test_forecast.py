"""The forecast of a site as a page: drawn, as a table, and with what more visits would prevent."""

from services.portal import forecasts
from tests.support.browser import Browser


class TestTheForecast:
    async def test_shows_a_drawing_and_a_table_of_each_discipline(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        page = await browser.open("/forecast")
        assert page.status == 200
        assert page.html.count('<polygon class="interval"') == 2 * 4
        assert page.html.count("<table>") == 4
        assert "Physiotherapy" in page.text

    async def test_says_what_more_visits_prevent(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        page = await browser.open("/forecast?weeks=8&discipline=physiotherapy&visits=4&extra-from=2")
        assert "4 more visits a week for Physiotherapy from week 2 on" in page.text
        assert "late first visits" in page.text

    async def test_of_26_weeks_says_that_it_is_a_range(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        assert "is a range" not in (await browser.open("/forecast")).text
        assert "is a range" in (await browser.open("/forecast?weeks=26")).text

    async def test_that_is_asked_for_wrongly_says_what_is_allowed_and_stands(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        page = await browser.open("/forecast?discipline=physiotherapy&visits=99")
        assert "0 to 40" in page.text
        assert '<polygon class="interval"' in page.html
        assert 'value="99"' in page.html

    async def test_is_the_coordinators(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=physiotherapist")
        assert (await browser.open("/forecast")).status == 403

    async def test_speaks_french(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        page = await browser.open("/forecast", **{"Accept-Language": "fr-CA,fr;q=0.9"})
        assert "Premiers rendez-vous en retard" in page.text


class TestTheScale:
    def test_has_whole_numbers_and_room_for_the_highest(self) -> None:
        assert [forecasts.scale_end(highest) for highest in (0, 3, 5, 17, 33, 41, 999)] == [
            4,
            4,
            8,
            32,
            40,
            80,
            1600,
        ]
