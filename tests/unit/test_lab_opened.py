"""What the lab opens of datasets, files and addresses, and what it refuses, in both languages."""

import numpy as np
import pytest

import tegum as tg
from tests.unit.test_lab import FIVE, NET, PENTAGON


def test_models_of_other_settings_are_no_recording() -> None:
    """A branch of changing density: each of its models has a loss of its own setting, and opens on its own."""
    branch = tg.exact.follow(NET, FIVE, PENTAGON, np.full(5, -0.2), np.linspace(0.03, 0.09, 3), progress=False).data
    with pytest.raises(tg.InvalidInputError, match="recorded along 'density'.*setting of its own"):
        tg.lab.record_of(branch)
    for at in (0, -1):
        setting = tg.lab.read(tg.lab.model_of(branch.isel(density=[at])).address)
        assert setting.W is not None
        loss = tg.exact.loss(setting.W, setting.b, setting.features)
        assert float(loss) == pytest.approx(float(branch.loss[at]), rel=1e-7)
