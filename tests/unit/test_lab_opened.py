"""What the lab opens of datasets, files and addresses, and what it refuses, in both languages."""

import numpy as np
import pytest

import tegum as tg
from tests.unit.test_lab import FIVE, NET, NODE, PENTAGON, in_node

REFUSAL = "(() => { try { return tegumLab.stateOf(input).view; } catch (error) { return error.message; } })()"
"""Why the page refuses an address."""


def test_models_of_other_settings_are_no_recording() -> None:
    """A branch of changing density: each of its models has a loss of its own setting, and opens on its own."""
    branch = tg.exact.follow(NET, FIVE, PENTAGON, np.full(5, -0.2), np.linspace(0.03, 0.09, 3), progress=False).data
    with pytest.raises(tg.InvalidInputError, match=r"recorded along 'density'.*setting of its own"):
        tg.lab.record_of(branch)
    for at in (0, -1):
        setting = tg.lab.read(tg.lab.model_of(branch.isel(density=[at])).address)
        assert setting.W is not None
        loss = tg.exact.loss(setting.W, setting.b, setting.features)
        assert float(loss) == pytest.approx(float(branch.loss[at]), rel=1e-7)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (tg.lab.link(NET, FIVE, PENTAGON, np.full(5, -0.2)) + "&bias=0", "bias is 0, and b is not"),
        ("#v=1&n=5&m=2&b=" + 54 * "A", "there is b and no W"),
    ],
)
def test_both_languages_refuse_an_address(address: str, words: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=words):
        tg.lab.read(address)
    if NODE:
        assert words in in_node(REFUSAL, address)
