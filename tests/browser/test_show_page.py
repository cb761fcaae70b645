"""The page of any dataset in a real browser: one file, offline, draws all of it, dark on request, and plays the film."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from playwright.sync_api import Browser

import tegum as tg
from tegum.figures.clouds import Cloud, clouds
from tegum.report.shown import Shown

OUTSIDE = """place => { const frame = place.getBoundingClientRect();
    return [...place.querySelectorAll(".annotation")].filter((note) => { const { top, bottom } = note.getBoundingClientRect();
        return top < frame.top || bottom > frame.bottom; }).map((note) => note.textContent); }"""


def test_a_page_draws_and_plays(browser: Browser, tmp_path: Path) -> None:
    recipe = tg.Recipe(steps=50, seeds=3, batch_size=64, evaluation_samples=64, record=("loss", "W", "b"), record_steps=5)
    data = tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1), recipe, progress=False)
    place = tg.show(data).write(tmp_path / "page.html")
    complaints: list[str] = []
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url != place.as_uri() else None)
    page.goto(place.as_uri())
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        page.wait_for_function("place => place.dataset.state === 'drawn'", arg=plot.element_handle(), timeout=20_000)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    film = page.locator('.plot[data-figure="film"]')
    film.scroll_into_view_if_needed()
    film.evaluate(
        "place => { place.played = []; place.on('plotly_animatingframe', (frame) => place.played.push(frame.name)); }"
    )
    page.locator("figure:has([data-figure=film]) .player button").first.click()
    steps = [str(step) for step in recipe.recorded_steps()]
    page.wait_for_function("place => place.played.length === 6", arg=film.element_handle(), timeout=20_000)
    assert film.evaluate("place => place.played") == steps
    for scheme, ground, ink in (("dark", "#212125", "#ececee"), ("light", "white", "#222222")):
        page.emulate_media(color_scheme=scheme)
        colours = "place => place._fullLayout && [place._fullLayout.paper_bgcolor, place._fullLayout.font.color].join()"
        page.wait_for_function(f"place => ({colours})(place) === '{ground},{ink}'", arg=film.element_handle(), timeout=20_000)
    assert complaints == []
    context.close()


def test_what_was_chosen_stands_inside_every_picture(browser: Browser, tmp_path: Path) -> None:
    W = np.random.default_rng(0).normal(size=(3, 2, 5))
    data = xr.Dataset({"W": (("seed", "hidden", "feature"), W), "loss": ("seed", [3.0, 1.0, 2.0])})
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
    page = context.new_page()
    shown = tg.show(data)
    page.goto(shown.write(tmp_path / "page.html").as_uri())
    above = {
        name for name, picture in shown.figures.items() if picture.layout.updatemenus and "of 3 seeds" in str(picture.layout)
    }
    assert above  # a picture with buttons, too
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        page.wait_for_function("place => place.dataset.state === 'drawn'", arg=plot.element_handle(), timeout=20_000)
        assert plot.evaluate(OUTSIDE) == []
    context.close()


def test_numbers_of_a_picture_say_what_they_are(browser: Browser, tmp_path: Path) -> None:
    """Losses are no dimensionalities, biases no columns of W^T W, errors are there, single precision has no digits of noise."""
    W, b, times = 0.1 * np.arange(1, 41).reshape(2, 20), np.arange(20) / 100, np.array([1.0, 10.0, 100.0])
    way = W * np.array([0.3, 0.7, 1.0])[:, None, None]
    path = xr.Dataset(
        {"W": (("time", "hidden", "feature"), way), "D": (("time", "feature"), way[:, 0]), "loss": ("time", 0.1 / times)},
        {"time": times},
    )
    cloud = Cloud("HMC", ["5-gon"], np.array([7.02]), np.array([0.03]), ["text"])
    pictures = {
        "levels": tg.figures.level_slider(path, [], "time"),
        "gram": tg.figures.strips({"one": xr.Dataset({"W": (("hidden", "feature"), W), "b": ("feature", b)})}),
        "clouds": clouds({"": [cloud]}, "point", "learning coefficient"),
    }
    page = browser.new_page()
    page.goto(Shown("numbers", [], [], pictures, dict.fromkeys(pictures, ("", "")), {}).write(tmp_path / "a.html").as_uri())
    found: dict[str, list[dict[str, Any]]] = {}
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        page.wait_for_function("place => place.dataset.state === 'drawn'", arg=plot.element_handle(), timeout=20_000)
        head, *rows = plot.evaluate("place => tegum.rows(place._fullData, place.layout)")
        found[plot.get_attribute("data-figure") or ""] = [dict(zip(head, row, strict=True)) for row in rows]
    page.close()
    losses = [row for row in found["levels"] if row["y is"] == "exact loss" and len(str(row["y"])) > 1]
    assert {(row["x"], row["y"]) for row in losses} >= {(1, 0.1), (10, 0.01), (100, 0.001)}
    assert {row["panel"] for row in losses} == {"levels of the features, and the loss"}
    maps = {name: [row for row in found["gram"] if row["name"] == name] for name in ("WᵀW", "bias")}
    assert [(row["y"], row["z"]) for row in maps["bias"]] == [(i, i / 100) for i in range(20)]
    assert len(maps["WᵀW"]) == 400
    assert {(row["y is"], row["z is"]) for row in maps["WᵀW"]} == {("output", "WᵀW, b")}
    (dot,) = found["clouds"]
    assert [dot[name] for name in ("y", "error", "label", "x is", "y is")] == [
        7.02, 0.03, "text", "point", "learning coefficient",
    ]  # fmt: skip


def test_numbers_of_a_picture_say_in_which_panel_they_are(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
    page = context.new_page()
    shown = tg.show({"p < 1": np.eye(3), "two<br>lines": 2 * np.eye(3)})
    page.goto(shown.write(tmp_path / "page.html").as_uri())
    for figure in ("gram", "arrows"):
        plot = page.locator(f".plot[data-figure={figure}]")
        plot.scroll_into_view_if_needed()
        page.wait_for_function("place => place.dataset.state === 'drawn'", arg=plot.element_handle(), timeout=20_000)
        head, *rows = plot.evaluate("place => tegum.rows(place._fullData, place.layout)")
        assert head[:6] == ["panel", "trace", "name", "x", "y", "z"]
        assert {row[0] for row in rows if row[3] is not None} == {"p < 1", "two, lines"}
        assert not any("trace" in row[2] for row in rows)
    context.close()
