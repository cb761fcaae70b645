"""The state of the lab in a real browser: addresses that are pasted, keys, the clock, and labs that are gone."""

from pathlib import Path

import numpy as np
import pytest

import tegum as tg
from tests.browser.conftest import Opened
from tests.browser.test_lab import FIVE, NET, settled, wait_for

DIGONS = np.array([[0.0, 1, -1, 0, 0], [0, 0, 0, 1, -1]])


def test_an_address_that_is_pasted_is_what_it_is_when_opened(opened: Opened) -> None:
    """With weights it stands still; without it begins at those of the seed, which end in a pentagon, and plays."""
    held, seeded = tg.lab.link(NET, FIVE, DIGONS, np.full(5, -0.02)), tg.lab.link(NET, FIVE)
    page = opened(held)
    page.get_by_label("Speed").fill("8")
    for address, plays in ((seeded, True), (held, False), (seeded, True)):
        page.evaluate("address => { location.hash = address; }", address)
        wait_for(page, "pentagon" if plays else "2 digons")
        assert page.get_by_role("button", name="Pause").count() == int(plays), address
        settled(page)
        W = tg.lab.read(page.evaluate("location.hash")).W
        assert W is not None
        assert np.array_equal(W, DIGONS) != plays


def test_the_keyboard_leaves_a_recording_as_it_is(opened: Opened, tmp_path: Path) -> None:
    flow = tg.exact.gradient_flow(NET, FIVE, 1.1 * tg.geometry.polygon(5), np.zeros(5), 1.0, times=5)
    (tmp_path / "replay.html").write_text(tg.lab.page(record=tg.lab.record_of(flow)))
    page = opened(at=tmp_path / "replay.html")
    page.get_by_label("Time").fill("2")
    settled(page)
    wait_for(page, "exact loss")
    before = page.locator(".status").inner_text()
    page.locator("canvas.stage").focus()
    for key in ("0", "ArrowUp", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    settled(page)
    assert page.locator(".status").inner_text() == before
    assert page.get_by_label("Time").input_value() == "2"


@pytest.mark.parametrize(("key", "sign"), [("ArrowLeft", -1), ("ArrowRight", 1)])
def test_on_a_line_arrow_keys_go_where_they_point(opened: Opened, key: str, sign: int) -> None:
    features = tg.features.Independent(2, density=0.05)
    page = opened(tg.lab.link(tg.nets.ReluOutput(2, 1), features, [[0.5, -0.7]], [0, 0], view="arrows"))
    page.evaluate(
        """() => { window.held = []; const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (said) {
          if (said.place) held.push(said.place[0]);
          return post.call(this, said);
        }; }"""
    )
    page.locator("canvas.stage").focus()
    page.keyboard.press("0")
    page.keyboard.press(key)
    assert sign * (page.evaluate("held[0]") - 0.5) > 0.05


@pytest.mark.parametrize("address", ["#v=1&n=2&m=2&p=1", tg.lab.link(NET, FIVE, 1e5 * DIGONS, how="adam")])
def test_at_rest_it_asks_for_nothing_more(opened: Opened, address: str) -> None:
    """At a minimum, and where it diverged; a change wakes it."""
    page = opened(address)
    page.get_by_label("Speed").fill("8")
    if page.get_by_role("button", name="Play").count():
        page.get_by_role("button", name="Play").click()
    wait_for(page, "at rest")
    settled(page)
    page.evaluate(
        """() => { window.ticks = 0; const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (said) { ticks += said.kind === "tick"; return post.call(this, said); }; }"""
    )
    settled(page)
    assert page.evaluate("ticks") <= 2
    page.get_by_role("button", name="New start").click()
    settled(page)
    assert page.evaluate("ticks") > 2


def test_a_screen_reader_hears_of_the_keys_that_work(opened: Opened) -> None:
    page, moves = opened("#v=1&n=5&m=2&p=0.05"), "arrow keys turn and stretch it"
    for view, works in (("gram", False), ("map", False), ("arrows", True)):
        page.locator(f'[data-view="{view}"]').click()
        settled(page)
        assert (moves in str(page.locator("canvas.stage").get_attribute("aria-label"))) == works, view


def test_another_kind_of_sets_keeps_what_was_given_for_each(opened: Opened) -> None:
    page = opened("#v=1&n=4&m=2&p=0.1,0.2,0.3,0.4&I=1,2,3,4")
    page.get_by_label("Features are").select_option("anticorrelated:2")
    settled(page)
    features = tg.lab.read(page.evaluate("location.hash")).features
    assert isinstance(features, tg.features.AnticorrelatedSets)
    np.testing.assert_array_equal(features.density, [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_array_equal(features.importance, [1, 2, 3, 4])


def test_arrow_keys_walk_on_the_map(opened: Opened) -> None:
    page = opened("#v=1&n=2&m=1&p=0.1&seed=4&view=map")
    before = tg.lab.read(page.evaluate("location.hash")).features
    page.locator("canvas.stage").focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    settled(page)
    state = tg.lab.read(page.evaluate("location.hash"))
    assert before.density[0] < state.features.density[0] < 1.25 * before.density[0]
    assert 1.1 < state.features.importance[1] / state.features.importance[0] < 1.6
    assert state.W is not None


def test_n_changes_by_whole_sets(opened: Opened) -> None:
    page = opened("#v=1&n=4&m=2&sets=correlated:2&p=0.1")
    page.get_by_label("Features n").focus()
    for key, n in (("ArrowRight", 6), ("ArrowLeft", 4), ("ArrowLeft", 2), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        settled(page)
        features = tg.lab.read(page.evaluate("location.hash")).features
        assert isinstance(features, tg.features.CorrelatedSets)
        assert features.n_features == n


def test_settings_that_no_control_has_are_shown(opened: Opened) -> None:
    """Sets of six, a density of 0, which is at rest at once, and an address that cannot be read."""
    page = opened("#v=1&n=6&m=2&sets=correlated:6&p=0")
    assert page.get_by_label("Features are").input_value() == "correlated:6"
    density = page.get_by_label("Density", exact=True)
    assert density.input_value() == density.get_attribute("min")
    wait_for(page, "at rest")
    for address, complaints in (("#v=1&n=many", 1), ("#v=1&n=3&m=2", 0)):
        page.evaluate("address => { location.hash = address; }", address)
        page.wait_for_function("count => document.querySelectorAll('.complaint').length === count", arg=complaints)


def test_lists_of_densities_leave_no_listeners_behind(opened: Opened) -> None:
    count = opened().evaluate(
        """async () => {
          const place = document.body.appendChild(document.createElement("div"));
          const lab = tegumLab.mount(place, "#v=1&n=4&m=2", { worker: tegumLab.workerSource });
          const folds = [...place.querySelectorAll("details")];
          const built = folds.map((fold) => new Promise((done) => fold.addEventListener("toggle", () => setTimeout(done))));
          for (const fold of folds) fold.open = true;
          await Promise.all(built);
          const counts = [];
          for (const n of [5, 4, 5, 4]) {
            lab.change({ n, density: Array(n).fill(0.1), importance: Array(n).fill(1) });
            counts.push(lab.listeners.length);
          }
          lab.destroy();
          return counts;
        }"""
    )
    assert count[0] == count[2] == count[1] + 1 == count[3] + 1


# A lab beside the page's own, which hears of addresses too: what one was told is known once the event has reached all.
BESIDE = """const place = document.body.appendChild(document.createElement("div"));
const lab = tegumLab.mount(place, "#v=1&n=4&m=2", { address: true, worker: tegumLab.workerSource });
const go = (address, then = () => {}) => new Promise((done) => {
  addEventListener("hashchange", () => setTimeout(done), { once: true });
  location.hash = address;
  then();
});"""


def test_a_lab_that_was_destroyed_follows_no_address(opened: Opened) -> None:
    followed = opened().evaluate(
        f"""async () => {{
          {BESIDE}
          let count = 0;
          lab.set = () => count++;
          await go("#v=1&n=3&m=2");
          const before = count;
          lab.destroy();
          await go("#v=1&n=2&m=2");
          return [before, count - before];
        }}"""
    )
    assert followed == [1, 0]


def test_an_address_is_followed_where_the_lab_saves_its_own_at_the_same_moment(opened: Opened) -> None:
    """The page saves what it shows several times a second: once between the new address and its event."""
    sizes = opened().evaluate(
        f"""async () => {{
          {BESIDE}
          const sizes = [lab.state.n];
          await go("#v=1&n=3&m=2", () => history.replaceState(null, "", lab.address()));
          sizes.push(lab.state.n);
          await go("#v=1&n=7&m=2");
          return [...sizes, lab.state.n];
        }}"""
    )
    assert sizes == [4, 3, 7]
