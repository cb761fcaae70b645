"""The state of the lab in a real browser: addresses that are pasted, keys, the clock, and labs that are gone."""

import numpy as np

import tegum as tg
from tests.browser.conftest import Opened
from tests.browser.test_lab import FIVE, NET, SAVED_MS, wait_for

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
        page.wait_for_timeout(SAVED_MS)
        W = tg.lab.read(page.evaluate("location.hash")).W
        assert W is not None
        assert np.array_equal(W, DIGONS) != plays
