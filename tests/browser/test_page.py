"""The page in a real browser: opened from disk, offline, it draws every figure without complaint, and its filter works.

`make page-test` holds the page in results/ to what is true of every page; the other tests know what is in theirs.
"""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tegum.figures import CONFIG

MEGABYTE = 1 << 20


def rows(page: Page) -> list[str]:
    return [row.inner_text() for row in page.locator("#ledger tr.row:visible").all()]


@pytest.mark.any_page
def test_every_figure_draws_without_complaint(page: Page, results: Path, complaints: list[str]) -> None:
    places = page.locator(".plot").all()
    assert (
        len(places) == sum(len(json.loads(part.read_text())["part"]["captions"]) for part in (results / "parts").iterdir()) > 0
    )
    for place in places:
        place.scroll_into_view_if_needed()
        page.wait_for_function("place => place.dataset.state === 'drawn'", arg=place.element_handle(), timeout=20_000)
        assert place.locator(".trace, .hm, .gl-container canvas, .barlayer, .annotation").count() > 0
    assert complaints == []


def test_figures_load_when_they_are_needed(page: Page) -> None:
    assert page.locator(".plot .main-svg").count() == 0
    assert page.evaluate("typeof Plotly") == "undefined"
    page.locator("#small .plot").first.scroll_into_view_if_needed()
    page.locator("#small .plot .main-svg").first.wait_for(timeout=20_000)


def test_a_space_picture_moves_rests_and_returns(page: Page, complaints: list[str]) -> None:
    place = page.locator("#small .plot").nth(1)
    place.scroll_into_view_if_needed()
    place.locator(".gl-container canvas").first.wait_for(timeout=20_000)
    page.wait_for_function("document.querySelectorAll('#small .plot')[1].dataset.state === 'drawn'")
    assert place.evaluate("place => place._transitionData._frames.length") == 3
    place.evaluate("place => Plotly.animate(place, ['2'], {mode: 'immediate'})")
    assert place.evaluate("place => place._fullData[0].x[0]") == 2
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("!document.querySelectorAll('#small .plot')[1].dataset.state")
    place.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelectorAll('#small .plot')[1].dataset.state === 'drawn'")
    assert complaints == []


def test_no_button_uploads_anything(page: Page) -> None:
    page.locator("#intro .plot").scroll_into_view_if_needed()
    page.locator("#intro .modebar-btn").first.wait_for(state="attached", timeout=20_000)
    titles = [button.get_attribute("data-title") or "" for button in page.locator(".modebar-btn").all()]
    assert titles
    assert not any(re.search("cloud|share|upload|chart studio", title, re.IGNORECASE) for title in titles)
    assert CONFIG["showSendToCloud"] is False
    assert page.evaluate("tegum.config.showSendToCloud") is False


def test_the_filter_keeps_what_is_asked_for(page: Page) -> None:
    everything = rows(page)
    said = page.locator("#filter output")
    assert said.inner_text() == f"{len(everything)} of {len(everything)} claims"
    page.get_by_role("checkbox", name="held").uncheck()
    assert rows(page) == [row for row in everything if not row.startswith("held")]
    page.get_by_role("checkbox", name="held").check()
    page.get_by_role("searchbox").fill("pentagon five")
    assert len(rows(page)) == 1
    page.get_by_role("searchbox").fill("f01")
    assert len(rows(page)) == 3
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox").select_option("Introduction")
    assert len(rows(page)) == 3
    assert said.inner_text() == f"3 of {len(everything)} claims"


def test_it_can_be_used_from_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "verdict"
    before = len(rows(page))
    page.keyboard.press("Space")
    assert len(rows(page)) < before
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
    assert {"scroll", "A", "SUMMARY"} <= reached


@pytest.mark.any_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_it_fits_the_window_and_can_be_read(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink, ground = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
    light = sum(map(int, re.findall(r"\d+", ground)))
    assert abs(sum(map(int, re.findall(r"\d+", ink))) - light) > 500
    assert (light > 380) == (scheme == "light")
    assert rows(page)


@pytest.mark.any_page
def test_it_opens_fast_and_is_small(page: Page, results: Path) -> None:
    began = time.monotonic()
    page.reload(wait_until="load")
    assert time.monotonic() - began < 3
    shown = [results / "index.html", results / "plotly.min.js", *(results / "figures").iterdir()]
    assert sum(path.stat().st_size for path in shown) < 25 * MEGABYTE


def test_a_small_page_weighs_little_more_than_its_drawing_library(results: Path) -> None:
    own = [results / "index.html", *(results / "figures").iterdir()]
    assert sum(path.stat().st_size for path in own) < MEGABYTE


def test_text_is_text_and_links_stay_inside(results: Path) -> None:
    text = (results / "index.html").read_text()
    assert "&lt;b&gt;marked" in text
    assert text.count("</script>") == 1
    assert not re.search("https?:", text)
    links = re.findall(r"""href="([^"]+)""", text)
    names = set(re.findall(r"""id="([^"]+)""", text))
    assert {link[1:] for link in links if link.startswith("#")} <= names
    assert {link for link in links if not link.startswith("#")} == {"data:,", "claims.json"}


def test_where_theory_and_paper_differ_both_numbers_stand(page: Page) -> None:
    notes = page.locator(".differs").all_inner_texts()
    assert any("paper: 2.5; exact: 2.41. Rounded." in note for note in notes)
    assert any("differs from what we expected" in note for note in notes)


def test_a_missing_script_is_named_in_its_place(page: Page, complaints: list[str]) -> None:
    page.evaluate("document.querySelector('#small .plot').dataset.part = 'gone'")
    place = page.locator("#small .plot").first
    place.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#small .plot').dataset.state === 'failed'")
    assert "figures/gone.js is missing: write it again with `tegum report`" in place.inner_text()
    complaints.clear()
