"""The same local learning coefficient by devinterp and by tegum, on the same model and data.

    pip install "devinterp==1.3.2"            # brings PyTorch, which tegum itself does not need
    python docs/devinterp_interop.py

A pentagon is minimised on a data set of 2,000 samples: its minimum there is exact, and so is its coefficient.  The model is
handed over as a state dict (`tegum.write_state_dict`), the data as rows.  devinterp takes the mean over a batch of the loss
that it is given; give it the sum over features, and n_beta, localisation and step size mean what they mean here.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tegum as tg
from tegum.geometry import polygon
from tegum.posterior import Langevin, exact_coefficient, llc

N, SAMPLES, BATCH = 5, 2000, 64
N_BETA, LOCALISATION, STEP_SIZE = 3000.0, 30.0, 1e-4


class Compared(NamedTuple):
    """A coefficient: the exact one, what linear theory predicts of SGLD with these settings, and two estimates with errors."""

    exact: float
    predicted: float
    tegum: float
    tegum_error: float
    devinterp: float
    devinterp_error: float


def compared(chains: int = 8, draws: int = 1500, warm_up: int = 1500) -> Compared:
    """The coefficient of a pentagon by both libraries."""
    net = tg.nets.ReluOutput(N, 2)
    rows = tg.features.AnticorrelatedSets(1, N, density=1 / N).sample(SAMPLES, seed=0)
    features = tg.features.FiniteLaw(rows)
    start = {"W": 1.17 * polygon(N), "b": np.full(N, -0.28)}
    found = tg.exact.minimise(net, features, seeds=1, initial=start, progress=False).isel(seed=0)
    how: dict[str, Any] = {"n_beta": N_BETA, "localisation": LOCALISATION, "chains": chains, "draws": draws, "warm_up": warm_up}
    ours = llc(net, features, found["W"], found["b"], sampler=Langevin(STEP_SIZE, batch_size=BATCH), progress=False, **how)
    exact = exact_coefficient(net, features, found["W"], found["b"]).value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pentagon.pt"
        tg.write_state_dict(found, path)
        theirs = by_devinterp(path, rows, chains, draws, warm_up)
    error = float(theirs.std(ddof=1) / np.sqrt(chains))
    return Compared(exact, exact + sum(ours.biases.values()), ours.value, ours.standard_error, float(theirs.mean()), error)


def by_devinterp(path: Path, rows: np.ndarray, chains: int, draws: int, warm_up: int) -> np.ndarray:
    """The estimate of each chain, from the model in a state dict and the rows of the data."""
    import torch
    from devinterp.optim.sgld import SGLD
    from devinterp.slt.sampler import estimate_learning_coeff_with_summary

    class Model(torch.nn.Module):
        def __init__(self, state: dict[str, Any]) -> None:
            super().__init__()
            self.W, self.b = (
                torch.nn.Parameter(state[name].double().reshape(shape)) for name, shape in (("W", (2, N)), ("b", (N,)))
            )

        def forward(self, x: Any) -> Any:
            return torch.relu(x @ self.W.T @ self.W + self.b)

    def evaluate(model: Any, batch: Any) -> Any:
        x = batch[0] if isinstance(batch, list | tuple) else batch
        return ((model(x) - x) ** 2).sum(-1).mean()

    model, data = Model(torch.load(path)), torch.as_tensor(rows)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data), batch_size=BATCH, shuffle=True)
    torch.set_num_threads(1)  # more would wait for each other: a step is microseconds of arithmetic
    torch.manual_seed(0)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        exact_loss = float(evaluate(model, data))
        torch.set_grad_enabled(True)
        found = estimate_learning_coeff_with_summary(
            model,
            loader,
            evaluate=evaluate,
            sampling_method=SGLD,
            optimizer_kwargs={"lr": STEP_SIZE, "nbeta": N_BETA, "localization": LOCALISATION},
            num_draws=draws,
            num_chains=chains,
            num_burnin_steps=warm_up,
            init_loss=exact_loss,
            seed=list(range(chains)),
            verbose=False,
        )
    return N_BETA * (np.asarray(found["loss/trace"], dtype=np.float64).mean(axis=1) - exact_loss)


if __name__ == "__main__":
    found = compared()
    print(f"exact                                     {found.exact:.3f}")
    print(f"predicted of SGLD with these settings     {found.predicted:.3f}")
    print(f"tegum, SGLD                               {found.tegum:.3f} +- {found.tegum_error:.3f}")
    print(f"devinterp 1.3.2, SGLD                     {found.devinterp:.3f} +- {found.devinterp_error:.3f}")
