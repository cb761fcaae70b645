"""What the lab costs: its size, the way to the first move, frames a second, an exact gradient; in this machine's Chromium.

python -m benchmarks.lab
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

import tegum as tg

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-background-networking"]
SETTINGS = {
    "5 in 2": "#v=1&n=5&m=2&p=0.1",
    "20 in 5": "#v=1&n=20&m=5&p=0.05&view=arrows",
    "32 in 5": "#v=1&n=32&m=5&p=0.05&view=arrows",
}
FRAMES = """(address) => new Promise((done) => {
  const place = document.createElement("div"), at = [];
  document.body.prepend(place);
  const lab = tegumLab.mount(place, address, { layout: "small", play: true, worker: tegumLab.workerSource });
  const receive = lab.receive.bind(lab);
  lab.receive = (frame) => {
    receive(frame);
    at.push(performance.now());
    if (at.length === 122) { lab.destroy(); done(at); }
  };
})"""
GRADIENT = """(address) => {
  const state = tegumLab.stateOf(address), { n, m } = state, simulation = new tegumLab.Simulation(state);
  const slopes = new Float64Array(n * m + n), times = [];
  for (let k = 0; k < 30; k++) {
    const began = performance.now();
    simulation.objective(simulation.y, slopes);
    times.push(performance.now() - began);
  }
  const began = performance.now();
  simulation.objective(simulation.y, slopes, tegumLab.EXACT);
  return [times.sort((a, b) => a - b)[15], tegumLab.termsFor(n), performance.now() - began];
}"""

MOVED = """() => new Promise((done) => {
  const { prototype } = tegumLab.Lab, { receive } = prototype;
  let first = null;
  prototype.receive = function (frame) {
    receive.call(this, frame);
    const { n } = this.state, place = [frame.W[0], frame.W[n]];
    first ??= place;
    if (Math.hypot(place[0] - first[0], place[1] - first[1]) > 0.2) done(performance.now());
  };
})"""


def written(place: Path) -> str:
    """A line about the command that writes the page, in a process of its own."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, time.perf_counter()
    subprocess.run([sys.executable, "-m", "tegum", "lab", "--no-browser", "--out", place], check=True, capture_output=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return f"tegum lab: {used:.1f} s of one core, {time.perf_counter() - began:.1f} s by the clock"


def first_move(browser: Browser, place: Path) -> str:
    """A line about opening the page and pulling at a feature at once."""
    net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.05)
    address = tg.lab.link(net, features, 1.1 * tg.geometry.polygon(5), np.full(5, -0.2))
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(place.as_uri() + address)
    page.evaluate(f"() => {{ window.moved = ({MOVED})(); }}")
    box: Any = page.locator("canvas.stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x + 1.1 * min(box["width"], box["height"]) / 2 / 1.32, y)
    page.mouse.down()
    page.mouse.move(x + 40, y - 120, steps=4)
    moved: float = page.evaluate("() => window.moved")
    page.mouse.up()
    page.close()
    return f"from opening the page to a feature that was pulled and moved: {moved / 1000:.2f} s"


def measured(browser: Browser, place: Path, name: str, address: str) -> str:
    """A line about one setting."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(place.as_uri() + address)
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Pause").click()
    paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    at: list[float] = page.evaluate(FRAMES, address)
    gaps = sorted(after - before for before, after in pairwise(at))
    median, terms, exactly = page.evaluate(GRADIENT, address)
    page.close()
    rate = 1000 * len(gaps) / sum(gaps)
    return (
        f"{name:>8}: first paint {paint:.0f} ms, {rate:.0f} frames of the model a second (slowest of 121: {gaps[-1]:.0f} ms), "
        f"gradient in {terms} terms {median:.2f} ms, with all digits {exactly:.0f} ms"
    )


def main() -> None:
    """Prints the size, how long the first move takes, and a line for each setting."""
    path: Any = next((found for name in NAMES if (found := shutil.which(name))), None)
    place = tg.lab.write(Path(tempfile.mkdtemp()) / "lab.html")
    print(written(place))
    print(f"one file of {place.stat().st_size / 1000:.0f} kB")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        print(first_move(browser, place))
        for name, address in SETTINGS.items():
            print(measured(browser, place, name, address))
        browser.close()


if __name__ == "__main__":
    main()
