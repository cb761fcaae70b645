"""The page in a real browser: opened from disk, offline, it draws every figure without complaint, and its filter works.

`make page-test` holds the page in results/ to what is true of every page; the other tests know what is in theirs.
"""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

import tegum as tg
from tegum.figures import CONFIG
from tegum.runs import read_dataset

MEGABYTE = 1 << 20


def rows(page: Page) -> list[str]:
    return [row.inner_text() for row in page.locator("#ledger tr.row:visible").all()]


def unfold(page: Page) -> None:
    """Opens every fold, as a reader would one by one."""
    page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")


@pytest.mark.any_page
def test_every_figure_draws_without_complaint(page: Page, results: Path, complaints: list[str]) -> None:
    said: list[str] = []
    most = 0
    page.on("console", lambda message: said.append(message.text) if message.type == "trace" else None)
    unfold(page)
    places = page.locator(".plot").all()
    assert (
        len(places) == sum(len(json.loads(part.read_text())["part"]["captions"]) for part in (results / "parts").iterdir()) > 0
    )
    for place in places:
        place.scroll_into_view_if_needed()
        page.wait_for_function("place => place.dataset.state === 'drawn'", arg=place.element_handle(), timeout=20_000)
        assert place.locator(".trace, .hm, .gl-container canvas, .barlayer, .annotation").count() > 0
        most = max(most, page.evaluate("document.querySelectorAll('*').length"))
    assert most < 20_000
    assert complaints == []
    assert said == []


def test_figures_load_when_they_are_needed_and_rest_when_they_are_far(page: Page) -> None:
    assert page.locator("#small .plot .main-svg").count() == 0
    place = page.locator("#small .plot").first
    place.scroll_into_view_if_needed()
    place.locator(".main-svg").first.wait_for(timeout=20_000)
    page.evaluate("document.querySelector('#gallery').style.marginTop = '9000px'; scrollTo(0, 0)")
    page.wait_for_function("!document.querySelector('#small .plot').dataset.state")
    assert place.locator("*").count() == 0
    assert place.bounding_box()["height"] > 300  # type: ignore[index]
    place.scroll_into_view_if_needed()
    place.locator(".main-svg").first.wait_for(timeout=20_000)


def test_pictures_come_first(page: Page) -> None:
    """The live model and the first of the pictures at a glance are to be seen without scrolling, on a phone, too."""
    live = page.locator("canvas.stage")
    live.wait_for(timeout=20_000)
    page.wait_for_function(
        "[...document.querySelectorAll('.thumb')].every((thumb) => thumb.querySelector('img')?.naturalWidth > 300)"
    )
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        box = live.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < height
    assert [card.inner_text().split("\n")[:2] for card in page.locator(".card").all()] == [
        ["1 · Introduction · F01", "Five features in two dimensions: as they grow sparser, more of them fit"],
        ["2 · Section 0 · F00", "A small experiment"],
    ]
    assert page.locator(".card .strip").last.inner_text() == "2 of 4 held"
    page.locator(".card a").last.click()
    page.wait_for_function("Math.abs(document.querySelector('#small').getBoundingClientRect().top) < 120")


def test_contents_stay_in_view_and_fold_on_a_phone(page: Page) -> None:
    contents = page.locator("nav.contents")
    page.evaluate("document.querySelector('#ledger').scrollIntoView({ behavior: 'instant' })")
    box = contents.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 60
    page.wait_for_function("document.querySelector('nav.contents [aria-current]')?.hash === '#ledger'")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("!document.querySelector('nav.contents details').open")
    page.locator("nav.contents summary").click()
    page.get_by_role("link", name="All figures").click()
    page.wait_for_function("!document.querySelector('nav.contents details').open")
    page.wait_for_function("Math.abs(document.querySelector('#gallery').getBoundingClientRect().top) < 120")


def test_a_link_opens_the_folds_around_its_end(page: Page, results: Path) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = false; })")
    page.get_by_role("link", name="a <b>marked</b> statement").click()
    page.locator("#small-claim-a dl").wait_for()
    page.goto("about:blank")
    page.goto((results / "index.html").as_uri() + "#small-claim-b")
    page.locator("#small-claim-b dl").wait_for()
    assert not page.locator("#small-claim-a dl").is_visible()


def test_an_address_that_says_no_letters_leads_nowhere(page: Page, results: Path, complaints: list[str]) -> None:
    page.goto("about:blank")
    page.goto((results / "index.html").as_uri() + "#%E0")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert not [said for said in complaints if "URI" in said]


def test_failing_claims_are_open_and_say_why(page: Page) -> None:
    assert [claim.get_attribute("id") for claim in page.locator("#small .claim:has(> details[open])").all()] == [
        "small-claim-b"
    ]
    why = page.locator("#small-claim-b .why")
    assert (
        why.inner_text() == "our own guess It is a finding or a threshold of our own that does not hold, not the paper's word."
    )
    (bar,) = page.locator("#small-claim-b .track").all()
    assert bar.get_attribute("aria-label") == "measured 2; expected from 0.9 to 1.1"
    layers = "bar => getComputedStyle(bar).backgroundImage.match(/gradient/g).length"
    assert bar.evaluate(layers) == 3  # the mark, the range, the line


def test_a_figure_is_saved_as_picture_and_as_numbers(page: Page) -> None:
    figure = page.locator("#small-figure-arrows-place")
    figure.scroll_into_view_if_needed()
    for name, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("CSV", b"panel,trace,name,x,y,z,error,label,x is,y is,z is\n")):
        with page.expect_download(timeout=20_000) as download:
            figure.get_by_role("button", name=name, exact=True).click()
        assert download.value.suggested_filename == f"small-arrows.{name.lower()}"
        assert Path(download.value.path()).read_bytes().startswith(start)
    with page.expect_download() as download:
        figure.get_by_role("link", name="data").click()
    assert download.value.suggested_filename == "small.safetensors"


def test_what_is_asked_of_a_figure_before_it_is_drawn_waits_for_it(page: Page) -> None:
    states = page.evaluate(
        """async () => { const place = document.querySelector("#small-figure-arrows-place .plot");
        while (place.dataset.state === "loading") await tegum.draw(place);
        tegum.takeDown(place);
        tegum.draw(place);
        const during = place.dataset.state;
        await tegum.draw(place);
        return [during, place.dataset.state]; }"""
    )
    assert states == ["loading", "drawn"]


def test_a_figure_of_weights_opens_in_the_lab(page: Page, results: Path) -> None:
    links = page.locator("#small-figure-arrows-place .lab a")
    assert links.all_inner_texts() == ["density 1", "density 0.5", "density 0.1"]
    said = tg.lab.read(str(links.last.get_attribute("href")))
    model = tg.best(read_dataset(results / "data" / "small.safetensors")).sel(density=0.1)
    np.testing.assert_array_equal(said.W, model["W"])
    np.testing.assert_array_equal(said.b, model["b"])
    np.testing.assert_allclose(said.features.feature_density, 0.1)
    links.last.click()
    page.wait_for_url("**/lab.html#*")
    page.locator("canvas.stage").wait_for()


def test_what_moves_plays_from_its_beginning_and_steps_by_keyboard(page: Page) -> None:
    place, player = page.locator("#small .plot").nth(1), page.locator("#small .player").nth(1)
    place.scroll_into_view_if_needed()
    slider = player.get_by_role("slider")
    slider.wait_for(timeout=20_000)
    shown = "document.querySelectorAll('#small .plot')[1]._fullData?.[0].x[0]"
    assert (slider.input_value(), page.evaluate(shown)) == ("0", 0)
    slider.press("ArrowRight")
    page.wait_for_function(f"{shown} === 1")
    assert slider.get_attribute("aria-valuetext") == "step 1"
    player.get_by_role("button", name="one step on").press("Enter")
    page.wait_for_function(f"{shown} === 2")
    place.evaluate(f"place => {{ window.played = []; place.on('plotly_animated', () => played.push({shown})); }}")
    player.get_by_role("button", name="play").click()
    page.wait_for_function("played.join() === '0,1,2'")
    assert place.locator(".slider-container, .updatemenu-button").count() == 0


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


def test_what_is_asked_of_the_ledger_stands_in_the_address(page: Page, results: Path) -> None:
    page.get_by_role("checkbox", name="held").uncheck()
    page.get_by_role("searchbox").fill("th")
    address = page.evaluate("location.hash")
    assert address == "#ledger?verdict=failed%2Cunderpowered&words=th"
    shown = rows(page)
    assert 0 < len(shown) < 4
    page.goto("about:blank")
    page.goto((results / "index.html").as_uri() + address)
    page.wait_for_function("Math.abs(document.querySelector('#ledger').getBoundingClientRect().top) < innerHeight / 2")
    assert rows(page) == shown
    page.evaluate("location.hash = '#ledger?words=th'")
    page.wait_for_function("document.querySelectorAll('#filter input[name=verdict]:not(:checked)').length === 0")
    assert len(rows(page)) > len(shown)  # as who opens this address sees it
    page.evaluate("location.hash = '#ledger'")
    page.wait_for_function("document.querySelector('#filter input[type=search]').value === ''")
    assert len(rows(page)) == 7
    page.get_by_role("checkbox", name="held").uncheck()
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("location.hash === '#ledger'")
    assert len(rows(page)) == 7


def test_a_section_is_a_section_and_nothing_says_so(page: Page) -> None:
    search = page.get_by_role("searchbox")
    for words in ("Section 0", "Section 0, nothing", "nothing; section 0 ·"):
        search.fill(words)
        assert len(rows(page)) == 4
    search.fill("section 1")
    assert rows(page) == []
    said = page.locator("#ledger .nothing")
    assert said.inner_text() == "No claim has “section 1”. Ask for fewer words, or show all."
    page.get_by_role("button", name="Show all").click()
    said.wait_for(state="hidden")
    search.fill("arked")
    assert rows(page) == []


def test_it_can_be_used_from_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash === '#ledger'")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "verdict"
    before = len(rows(page))
    page.keyboard.press("Space")
    assert len(rows(page)) < before
    reached = set()
    page.keyboard.press("Control+Home")
    page.evaluate("document.activeElement.blur(); document.querySelector('.skip').focus()")
    for _ in range(120):
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_it_is_accessible(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    unfold(page)
    page.locator("#small .plot").first.scroll_into_view_if_needed()
    page.locator("#small .plot .main-svg").first.wait_for(timeout=20_000)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


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
    outside = {link.partition("#")[0] for link in links if not link.startswith("#")}
    assert outside == {"data:,", "claims.json", "lab.html", "data/intro.safetensors", "data/small.safetensors"}
    assert all((results / link).exists() for link in outside - {"data:,"})


def test_where_theory_and_paper_differ_both_numbers_stand(page: Page) -> None:
    unfold(page)
    assert "paper: 2.5; exact: 2.41. Rounded." in page.locator("#small-claim-d .differs").inner_text()
    failed = page.locator("#small-claim-b dl").inner_text()
    assert "measured\n2" in failed
    assert "expected\n1 (0.1)" in failed


def test_a_missing_script_is_named_in_its_place(page: Page, complaints: list[str]) -> None:
    page.evaluate("document.querySelector('#small .plot').dataset.part = 'gone'")
    place = page.locator("#small .plot").first
    place.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#small .plot').dataset.state === 'failed'")
    assert "figures/gone.js is missing: write it again with `tegum report`" in place.inner_text()
    complaints.clear()
