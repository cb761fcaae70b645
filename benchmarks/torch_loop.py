"""The usual PyTorch loop for toy models of superposition: batched einsum, autograd, AdamW, two ``rand`` calls a step.

Written as the notebooks that people use write it: instances as a batch axis, weights stored as (instance, feature, hidden).
"""

import time
from collections.abc import Callable

import torch

FAMILIES = ("ReluOutput", "ReluHidden", "AbsoluteValue")


class Models:
    """A batch of instances of one family with its optimizer."""

    def __init__(self, family: str, n: int, m: int, instances: int, density: float) -> None:
        scale = (2 / (n + m)) ** 0.5
        self.family = family
        self.W = torch.nn.Parameter(scale * torch.randn(instances, n, m))
        self.W2 = torch.nn.Parameter(scale * torch.randn(instances, m, n))
        self.b = torch.nn.Parameter(torch.zeros(instances, n))
        self.density = torch.full((instances, 1), density)
        self.importance = torch.ones(n)
        used = [self.W, self.W2, self.b] if family == "AbsoluteValue" else [self.W, self.b]
        self.optimizer = torch.optim.AdamW(used, lr=1e-3)

    def draw(self, batch: int) -> torch.Tensor:
        """Fresh samples, shape (batch, instance, feature)."""
        shape = (batch, self.W.shape[0], self.W.shape[1])
        values = torch.rand(shape)
        if self.family == "AbsoluteValue":
            values = 2 * values - 1
        return torch.where(torch.rand(shape) <= self.density, values, torch.zeros(()))

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        """The mean over the batch of the summed squared error of each instance, summed over instances."""
        h = torch.einsum("...if,ifh->...ih", x, self.W)
        if self.family == "ReluOutput":
            y = torch.einsum("...ih,ifh->...if", h, self.W)
        elif self.family == "ReluHidden":
            y = torch.einsum("...ih,ifh->...if", torch.relu(h), self.W)
        else:
            y = torch.einsum("...ih,ihf->...if", torch.relu(h), self.W2)
        error = x.abs() - torch.relu(y + self.b)
        return (self.importance * error**2).sum(-1).mean(0).sum()

    def step(self, batch: int) -> None:
        """One optimizer step on fresh samples."""
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.draw(batch)).backward()
        self.optimizer.step()


def stepper(family: str, n: int, m: int, instances: int, batch: int, density: float, threads: int) -> Callable[[int], float]:
    """A function that runs some steps and returns the seconds each took."""
    torch.set_num_threads(threads)
    models = Models(family, n, m, instances, density)
    for _ in range(3):
        models.step(batch)

    def run(steps: int) -> float:
        began = time.perf_counter()
        for _ in range(steps):
            models.step(batch)
        return (time.perf_counter() - began) / steps

    return run
