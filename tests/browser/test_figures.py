"""Words in pictures as a phone draws them: none is cut off, none lies on another, and none is too small."""

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr
from playwright.sync_api import Browser
from plotly.offline import get_plotlyjs

import tegum as tg
from tegum.figures.clouds import Cloud, clouds
from tegum.report.part import height_of, width_of

PHONE = 340
"""How wide a picture is on a phone of 390 pixels, unless it asks for more."""

WRONG = """() => {
    const place = document.querySelector("#place"), frame = place.getBoundingClientRect(), found = [];
    const shown = (text) => text.textContent.trim() && !text.closest(".modebar");
    const texts = [...place.querySelectorAll("svg text")].filter(shown);
    const corners = (text) => {
        const { x, y, width, height } = text.getBBox(), to = text.getScreenCTM();
        const right = x + width, low = y + 0.2 * height, high = y + 0.8 * height;
        return [[x, low], [right, low], [right, high], [x, high]].map(([u, v]) => new DOMPoint(u, v).matrixTransform(to));
    };
    const apart = (one, other) => [one, other].some((box) => box.slice(0, 2).some((corner, k) => {
        const across = { x: box[k + 1].x - corner.x, y: box[k + 1].y - corner.y };
        const shadow = (all) => all.map((at) => at.x * across.x + at.y * across.y);
        const mine = shadow(one), theirs = shadow(other);
        return Math.max(...mine) <= Math.min(...theirs) || Math.max(...theirs) <= Math.min(...mine);
    }));
    const boxes = texts.map(corners);
    texts.forEach((text, k) => {
        const words = text.textContent;
        const inside = ({ x, y }) => x > frame.left - 1 && x < frame.right + 1 && y > frame.top - 1 && y < frame.bottom + 1;
        if (!boxes[k].every(inside)) found.push(`cut off: ${words}`);
        if (parseFloat(getComputedStyle(text).fontSize) < 11) found.push(`small: ${words}`);
        for (let j = 0; j < k; j++) if (!apart(boxes[j], boxes[k])) found.push(`${texts[j].textContent} on ${words}`);
    });
    return found; }"""


def curves() -> go.Figure:
    at = xr.DataArray([0.1, 0.2, 0.4], {"p": [0.01, 0.1, 0.8]}, ["p"])
    names = [f"density {p:g}, {how}" for p in (0.1, 0.03, 0.01) for how in ("a feature for each example", "one for a batch")]
    across, up = "attack in training, share of the average input norm", "exact clean loss, relative to no attack"
    return tg.figures.curve_panel({name: at + k for k, name in enumerate(names)}, across, up)


def decades() -> go.Figure:
    x = np.logspace(-9, -1, 20)
    return clouds({"": [Cloud(name, x, x) for name in ("one", "another", "a third")]}, "x" * 30, "y", log_x=True, log_y=True)


def columns() -> go.Figure:
    names = ["irregular (4 in 3)", "digon + irregular (3 in 2)", "pentagon + digon", "tricapped triangular prism", "Thomson 12"]
    at = [4.0, 5.0, 7.0, 9.0, 12.0]
    return tg.figures.fraction_scatter(at, [np.full(int(n), 3 / n) for n in at], "points on the sphere", names)


def marks() -> go.Figure:
    at = np.geomspace(1, 9, 12).tolist()
    marked = {f"{place:.2f}": place for place in (4.29, 4.94)}
    return tg.figures.fraction_scatter(at, [np.ones(4) / place for place in at], "density", log=True, marks=marked)


def stacks() -> go.Figure:
    rows = {f"p = {p:g}, loss 0.57 of that without superposition": np.eye(5) for p in (0.03, 0.01)}
    return tg.figures.stack_panels(rows, columns=1)


def table() -> go.Figure:
    return tg.figures.polytope_table({"twelve in four": np.tile(np.eye(4), 3)})


def census() -> go.Figure:
    p = np.array([0.0025, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9])
    each = ("density", "seed")
    data = xr.Dataset({"relative_loss": (each, np.ones((12, 2))), "kind": (each, [["a", "b"]] * 12)}, {"density": p})
    data["built_loss"] = xr.DataArray(np.ones((12, 1)), {"density": p, "kind_built": ["a"]}, ["density", "kind_built"])
    return tg.figures.census_dots(data, ["a"], other="b", crosses="exact minimum")


@pytest.mark.parametrize("picture", [curves, decades, columns, marks, stacks, table, census])
def test_words_in_a_picture_can_be_read_on_a_phone(browser: Browser, picture: object, tmp_path: Path) -> None:
    drawn = picture()  # type: ignore[operator]
    (tmp_path / "plotly.js").write_text(get_plotlyjs(), encoding="utf-8")
    width = max(PHONE, width_of(drawn))
    place = f'<div id="place" style="width: {width}px; height: {height_of(drawn)}px"></div>'
    (tmp_path / "page.html").write_text(f'<meta charset="utf-8">{place}<script src="plotly.js"></script>')
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.evaluate("picture => Plotly.newPlot('place', JSON.parse(picture))", drawn.to_json())
    assert page.evaluate(WRONG) == []
    context.close()
