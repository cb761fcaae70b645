"""The lab in a real browser: from disk, offline, by mouse, keyboard and address, in both themes and sizes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import tegum as tg
from tests.browser.conftest import Opened
from tests.unit.test_lab import ORACLE, oracle, require_equal

NET, FIVE = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.05)
HEAR = """() => { window.heard = [];
    const live = [...document.querySelectorAll("[aria-live]")].at(-1);
    new MutationObserver(() => heard.push(live.textContent)).observe(live, { childList: true }); }"""
"""Whatever a screen reader is told from now on is kept: the next words may come before one looks."""

VIEWS = ("arrows", "space", "gram", "norms", "time", "map")


def wait_for(page: Page, *words: str, timeout: int = 20_000) -> None:
    """Until the status has all these words at once."""
    said = "(word) => document.querySelector('.status').innerText.includes(word)"
    page.wait_for_function(f"() => {json.dumps(words)}.every({said})", timeout=timeout)


def settled(page: Page) -> None:
    """Until a page, which counts its own frames, has drawn, said, and saved in its address what it shows, however busy."""
    page.evaluate(
        """() => new Promise((done) => { const begun = performance.now();
        let frames = 0;
        const next = () => ++frames > 60 && performance.now() - begun > 2000 ? done() : requestAnimationFrame(next);
        next(); })"""
    )


def inked(page: Page) -> int:
    """How many different colours the large picture has."""
    return int(
        page.evaluate(
            """() => { const shown = document.querySelector("canvas.stage"), { width, height } = shown;
            const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(shown, 0, 0);
            return new Set(new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer)).size; }"""
        )
    )


def tip_of(page: Page, feature: int) -> tuple[float, float]:
    """Where the tip of a feature is drawn."""
    W = tg.lab.read(page.evaluate("location.hash")).W
    box = page.locator("canvas.stage").bounding_box()
    assert W is not None
    assert box is not None
    scale = min(box["width"], box["height"]) / 2 / 1.32
    return box["x"] + box["width"] / 2 + scale * W[0, feature], box["y"] + box["height"] / 2 - scale * W[1, feature]


def place_in_map(page: Page, across: float, down: float) -> tuple[float, float]:
    """A place in a phase map, by shares of its width from the left and of its height from above, about."""
    box = page.locator("canvas.stage").bounding_box()
    assert box is not None
    return box["x"] + 62 + across * (box["width"] - 80), box["y"] + 30 + down * (box["height"] - 120)


def paused(page: Page) -> None:
    if page.get_by_role("button", name="Pause").count():
        page.get_by_role("button", name="Pause").click()
    wait_for(page, "exact loss")
    settled(page)


def test_in_a_browser_it_says_what_python_says(opened: Opened) -> None:
    page, known = opened(), oracle(500)
    require_equal(
        known, json.loads(page.evaluate(f"given => {{ {ORACLE.read_text()} return JSON.stringify(answers(given)); }}", known))
    )


def test_it_moves_in_a_worker_and_ends_in_a_pentagon(opened: Opened) -> None:
    page = opened("#v=1&n=5&m=2&p=0.05")
    assert len(page.workers) == 1
    page.get_by_label("Speed").fill("8")
    wait_for(page, "at rest")
    wait_for(page, "exact loss")
    known = float(tg.best(tg.exact.minimise(NET, FIVE, seeds=8, progress=False)).loss)
    found = re.fullmatch(r"pentagon\s+exact loss ([\d.]+) ± \de−1\d\s+at rest", page.locator(".status").inner_text())
    assert found
    assert float(found[1]) == pytest.approx(known, rel=1e-7)


def test_where_workers_are_forbidden_it_computes_beside_the_page(
    opened: Opened, said: list[str], place: Path, tmp_path: Path
) -> None:
    text = place.read_text().replace("worker-src blob:", "worker-src &#39;none&#39;")
    (tmp_path / "lab.html").write_text(text)
    page = opened("#v=1&n=5&m=2&p=0.05", at=tmp_path / "lab.html")
    wait_for(page, "pentagon")
    assert page.workers == []
    assert len(said) == 1
    assert "worker-src" in said.pop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_view_draws_fits_and_passes_axe(opened: Opened, width: int, scheme: str) -> None:
    page = opened("#v=1&n=6&m=3&p=0.05", width=width, scheme=scheme)
    for view in VIEWS:
        page.locator(f'[data-view="{view}"]').click()
        page.wait_for_timeout(60)
        assert inked(page) > 8, view
        assert page.locator(f'[data-view="{view}"]').get_attribute("aria-pressed") == "true"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("summary", has_text="own density").click()
    page.locator("summary", has_text="trained").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_small_one_is_legible_in_a_frame(opened: Opened, tmp_path: Path, scheme: str) -> None:
    (tmp_path / "small.html").write_text(tg.lab.page(layout="small", more="lab.html"))
    page = opened("#v=1&n=5&m=2&p=0.05", at=tmp_path / "small.html", scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = map(int, re.findall(r"\d+", ground)[:3])
    assert (red + green + blue > 600) == (scheme == "light"), ground
    found = Axe().run(page, options={"runOnly": ["color-contrast"]})
    assert found.violations_count == 0, found.generate_report()


def test_a_feature_is_dragged_and_the_flow_takes_over(opened: Opened) -> None:
    page = opened(tg.lab.link(NET, FIVE, 1.1 * tg.geometry.polygon(5), np.full(5, -0.2)))
    paused(page)
    x, y = tip_of(page, 0)
    to = tip_of(page, 2)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move((x + to[0]) / 2, (y + to[1]) / 2, steps=4)
    page.mouse.move(to[0] + 12, to[1] + 6, steps=4)
    settled(page)
    held = tg.lab.read(page.evaluate("tegumLab && location.hash")).W
    page.mouse.up()
    assert page.get_by_role("button", name="Pause").count() == 1
    page.get_by_label("Speed").fill("6")
    wait_for(page, "pentagon")
    wait_for(page, "at rest")
    settled(page)
    after = tg.lab.read(page.evaluate("location.hash")).W
    assert held is not None
    assert after is not None
    assert np.abs(after - held).max() > 0.1


def test_it_can_be_used_from_the_keyboard(opened: Opened) -> None:
    page = opened("#v=1&n=5&m=2&p=0.05")
    paused(page)
    before = tg.lab.read(page.evaluate("location.hash")).W
    page.evaluate(HEAR)
    page.locator("canvas.stage").focus()
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.wait_for_function("() => heard.some((words) => words.startsWith('feature 1: '))")
    page.keyboard.press("0")
    page.wait_for_function("() => heard.at(-1).startsWith('feature 0: ')")
    page.keyboard.press("1")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    paused(page)
    after = tg.lab.read(page.evaluate("location.hash")).W
    assert before is not None
    assert after is not None
    assert np.abs(after[:, 1] - before[:, 1]).max() > 0.05
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"BUTTON", "INPUT", "SELECT", "SUMMARY"} <= reached


def test_the_address_is_the_state_and_a_reload_returns_to_it(opened: Opened) -> None:
    sets = tg.features.AnticorrelatedSets(
        3, 2, density=[0.1, 0.2, 0.3, 0.1, 0.2, 0.3], importance=tg.features.geometric(0.8, 6)
    )
    W, b = np.random.default_rng(0).normal(size=(3, 6)), np.full(6, -0.1)
    page = opened(tg.lab.link(tg.nets.ReluOutput(6, 3), sets, W, b, view="gram"))
    wait_for(page, "exact loss")
    said = page.locator(".status").inner_text()
    assert float(re.search(r"loss ([\d.]+)", said)[1]) == pytest.approx(float(tg.exact.loss(W, b, sets)), rel=1e-9)  # type: ignore[index]
    page.locator('[data-view="norms"]').click()
    settled(page)
    page.reload()
    wait_for(page, "exact loss")
    assert page.locator(".status").inner_text() == said
    setting = tg.lab.read(page.evaluate("location.hash"))
    np.testing.assert_array_equal(setting.W, W)
    assert setting.others["view"] == "norms"
    page.evaluate("location.hash = '#v=1&n=3&m=3&p=0.1'")
    wait_for(page, "3 dedicated")


def test_a_wrong_address_is_said_and_the_lab_begins(opened: Opened) -> None:
    page = opened("#v=1&n=50&m=2")
    assert 'n is "50": from 1 to 32' in page.get_by_role("alert").inner_text()
    assert page.get_by_role("button", name="Pause").count() == 1


def test_a_map_is_drawn_and_clicked_before_the_model_is_known(opened: Opened) -> None:
    page = opened("#v=1&n=5&m=2&p=0.05")
    page.evaluate("Worker.prototype.postMessage = () => {}")
    page.get_by_role("button", name="A phase change").click()
    page.mouse.click(*place_in_map(page, 0.97, 0.7))
    settled(page)
    setting = tg.lab.read(page.evaluate("location.hash"))
    assert setting.W is not None
    assert setting.W.shape == (1, 2)
    assert setting.features.density[0] > 0.8
    assert inked(page) > 2


def test_presets_the_map_and_the_tour(opened: Opened) -> None:
    page = opened()
    for button in page.locator(".chips button").all():
        button.click()
        assert page.locator(".guide p").inner_text()
        page.wait_for_timeout(40)
    page.get_by_role("button", name="A phase change").click()
    page.mouse.click(*place_in_map(page, 0.97, 0.7))
    wait_for(page, "dedicated", "at rest")
    page.mouse.click(*place_in_map(page, 0.3, 0.5))
    wait_for(page, "digon", "at rest")
    page.get_by_role("button", name="Tour in eight steps").click()
    for step in range(1, 9):
        assert page.locator(".guide h2").inner_text().startswith(f"{step} / 8")
        page.get_by_role("button", name="Next" if step < 8 else "Done").click()
    assert page.locator(".guide h2").count() == 0


def test_controls_change_the_setting(opened: Opened) -> None:
    page = opened("#v=1&n=6&m=2")
    page.get_by_label("Features are").select_option("correlated:3")
    page.get_by_label("Density", exact=True).fill("-24")
    page.get_by_label("Bias b").select_option("0")
    page.get_by_label("Importance of feature i").fill("0.8")
    page.locator("summary", has_text="trained").click()
    page.get_by_label("Penalty on interference").fill("3")
    page.get_by_label("Moves by").select_option("sample")
    settled(page)
    setting = tg.lab.read(page.evaluate("location.hash"))
    assert repr(setting.net) == "ReluOutput(n_features=6, n_hidden=2, bias=False)"
    assert isinstance(setting.features, tg.features.CorrelatedSets)
    assert setting.features.set_size == 3
    np.testing.assert_allclose(setting.features.density, 10**-0.5)
    np.testing.assert_allclose(setting.features.importance, tg.features.geometric(0.8, 6))
    assert setting.others["how"] == "sample"
    assert setting.others["interference"] == "0.005"
    page.get_by_label("Features n").fill("32")
    page.get_by_label("Dimensions m").fill("5")
    settled(page)
    assert tg.lab.read(page.evaluate("location.hash")).net.n_features == 30  # whole sets
    page.get_by_label("Features are").select_option("independent")
    page.get_by_label("Features n").fill("32")
    settled(page)
    assert tg.lab.read(page.evaluate("location.hash")).net.n_features == 32


def test_weights_go_out_and_come_back(opened: Opened, tmp_path: Path) -> None:
    page = opened("#v=1&n=5&m=2&p=0.05")
    wait_for(page, "pentagon")
    paused(page)
    hashed = page.evaluate("location.hash")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save weights").click()
    saved.value.save_as(tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(tg.read_weights(tmp_path / "weights.safetensors").W.values, tg.lab.read(hashed).W)
    for name, begins in (("Save SVG", b"<svg "), ("Save PNG", b"\x89PNG")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=name).click()
        assert Path(saved.value.path()).read_bytes().startswith(begins)
    page.get_by_role("button", name="Reset").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "weights.safetensors")
    page.wait_for_function("() => document.querySelector('.said').innerText.includes('5 features')")
    paused(page)
    np.testing.assert_array_equal(tg.lab.read(page.evaluate("location.hash")).W, tg.lab.read(hashed).W)
    (tmp_path / "none.safetensors").write_bytes(b"nothing")
    page.locator("input[type=file]").set_input_files(tmp_path / "none.safetensors")
    page.wait_for_function("() => document.querySelector('.said').innerText.includes('no file of safetensors')")


def test_pictures_and_words_are_copied(opened: Opened) -> None:
    page = opened("#v=1&n=5&m=2&p=0.05")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    wait_for(page, "pentagon")
    held = "() => navigator.clipboard.readText()"
    for name, begins, said in (
        ("Copy SVG", "<svg ", "SVG copied."),
        ("Copy Python", "import numpy", "Python lines copied."),
        ("Copy link", "file://", "Link copied."),
    ):
        page.get_by_role("button", name=name).click()
        page.wait_for_function(f"() => document.querySelector('.said').innerText === {json.dumps(said)}")
        assert page.evaluate(held).startswith(begins)
    page.get_by_role("button", name="Copy PNG").click()
    page.wait_for_function("() => document.querySelector('.said').innerText === 'PNG copied.'")
    size = page.evaluate(
        """async () => {
          const [item] = await navigator.clipboard.read();
          const { width, height } = await createImageBitmap(await item.getType("image/png"));
          const { clientWidth, clientHeight } = document.querySelector("canvas.stage");
          return [width / clientWidth, height / clientHeight];
        }"""
    )
    assert size == pytest.approx([2, 2], rel=0.01)
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(new Error('refused')); }")
    page.get_by_role("button", name="Copy PNG").click()
    page.wait_for_function("() => document.querySelector('.said').innerText.includes('may not copy pictures')")


def test_a_recorded_training_is_played(opened: Opened, tmp_path: Path) -> None:
    recipe = tg.Recipe(steps=200, seeds=2, batch_size=64, evaluation_samples=64, record=("loss", "W", "b"), record_steps=20)
    data = tg.train(NET, FIVE, recipe, progress=False)
    record = tg.lab.record_of(data)
    (tmp_path / "replay.html").write_text(tg.lab.page(record=record))
    page = opened(at=tmp_path / "replay.html")
    page.get_by_label("Step").fill(str(len(record.times) - 1))
    settled(page)
    wait_for(page, "exact loss")
    expected = tg.exact.loss(tg.best(data).W.values.astype(np.float64), tg.best(data).b.values.astype(np.float64), FIVE)
    said = re.search(r"loss ([\d.]+)", page.locator(".status").inner_text())
    assert said
    assert float(said[1]) == pytest.approx(float(expected), rel=1e-6)


def test_it_stands_still_where_motion_is_unwelcome(opened: Opened) -> None:
    page = opened("#v=1&n=6&m=3", reduced_motion="reduce")
    wait_for(page, "exact loss")
    first = page.locator("canvas.stage").screenshot()
    settled(page)
    assert page.locator("canvas.stage").screenshot() == first
    assert page.get_by_role("button", name="Play").count() == 1


def test_the_widget_renders_and_tells_its_model(browser: Browser) -> None:
    page = browser.new_page()
    shown = page.evaluate(
        """async (source) => {
          const { default: widget } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
          const values = { address: "#v=1&n=5&m=2&p=0.05", layout: "page" }, el = document.body;
          const set = (key, value) => { values[key] = value; };
          const model = { get: (key) => values[key], set, save_changes() {}, on() {} };
          const end = widget.render({ model, el });
          const ready = () => values.address.includes("W=") && el.querySelector(".status")?.innerText.includes("loss");
          while (!ready()) await new Promise((done) => setTimeout(done, 20));
          const said = [values.address, el.querySelector(".status").innerText];
          end();
          return [...said, el.childElementCount];
        }""",
        tg.lab.widget()._esm,
    )
    assert tg.lab.read(shown[0]).W is not None
    assert "loss" in shown[1]
    assert shown[2] == 0
    page.close()


def test_a_finger_moves_a_feature_and_scrolls_elsewhere(opened: Opened) -> None:
    address = tg.lab.link(NET, FIVE, 1.1 * tg.geometry.polygon(5), np.full(5, -0.2))
    page = opened(address, width=390, has_touch=True, is_mobile=True)
    paused(page)
    touch = page.context.new_cdp_session(page)

    def drag(x: float, y: float, by: float) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 9):
            at = {"x": x, "y": y + by * step / 8}
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
            page.wait_for_timeout(20)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    before = tg.lab.read(page.evaluate("location.hash")).W
    drag(*tip_of(page, 0), by=-90)
    paused(page)
    after = tg.lab.read(page.evaluate("location.hash")).W
    assert before is not None
    assert after is not None
    assert np.abs(after - before).max() > 0.1
    assert page.evaluate("scrollY") == 0
    box = page.locator("canvas.stage").bounding_box()
    assert box is not None
    drag(box["x"] + 20, box["y"] + box["height"] - 20, by=-200)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") > 50
