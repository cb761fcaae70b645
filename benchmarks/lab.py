"""What the lab costs: its size, its first paint, frames a second, and an exact gradient; in headless Chromium on this machine.

python -m benchmarks.lab
"""

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

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
    """Prints the size and a line for each setting."""
    path: Any = next((found for name in NAMES if (found := shutil.which(name))), None)
    place = tg.lab.write(Path(tempfile.mkdtemp()) / "lab.html")
    print(f"one file of {place.stat().st_size / 1000:.0f} kB")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        for name, address in SETTINGS.items():
            print(measured(browser, place, name, address))
        browser.close()


if __name__ == "__main__":
    main()
