"""The trainings that are timed: sizes from the paper, and large sparse models as later papers use them."""

from dataclasses import dataclass

DENSITIES = (1.0, 0.1, 0.01)


@dataclass(frozen=True)
class Case:
    """A size of the race and the ratio to PyTorch that is aimed at."""

    family: str
    n: int
    m: int
    instances: int
    batch: int
    target: float = 0

    def __str__(self) -> str:
        return f"{self.family:<14}{self.n:>6}{self.m:>5}{self.instances:>6}{self.batch:>6}"

    @property
    def operations(self) -> float:
        """Floating-point operations of the products of one step of all instances: five products of n x m with the batch."""
        return 10.0 * self.n * self.m * self.batch * self.instances


HEADING = f"{'net':<14}{'n':>6}{'m':>5}{'inst':>6}{'batch':>6}"

CASES = (
    Case("ReluOutput", 2, 1, 1024, 1024, 80),
    Case("ReluOutput", 5, 2, 10, 1024, 80),
    Case("ReluOutput", 20, 5, 7, 1024, 50),
    Case("ReluOutput", 100, 20, 20, 1024, 22),
    Case("ReluOutput", 400, 30, 4, 4096, 18),
    Case("ReluHidden", 10, 5, 1000, 1024, 60),
    Case("AbsoluteValue", 100, 40, 7, 1024, 12),
)

SPARSE = (
    (Case("ReluOutput", 1000, 2, 1, 1024), 0.01),
    (Case("ReluOutput", 1000, 30, 1, 1024), 0.01),
    (Case("ReluOutput", 1000, 30, 1, 1024), 0.001),
    (Case("ReluOutput", 1000, 100, 1, 1024), 0.001),
    (Case("ReluOutput", 10_000, 30, 1, 1024), 0.001),
    (Case("ReluOutput", 10_000, 100, 1, 1024), 0.001),
)
"""Large models and the density of their features."""
