"""Everything that defines a training, in one frozen object: nothing that changes a result is hidden elsewhere.

The defaults are those of the paper authors' notebook (AdamW with PyTorch's settings, rate 1e-3, 10,000 steps of 1024 fresh
samples), but for the initial weights, which the notebook scales by the number of instances (see `nets.initialisation`).
A recipe is shown in full in every result and report.
"""

from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from numbers import Integral
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from tegum.checking import shown
from tegum.errors import MOST, InvalidInputError, Problem, Problems, unknown_field
from tegum.nets import Initialisation

Optimizer = Literal["adamw", "adam", "sgd", "rmsprop"]
Schedule = Literal["constant", "linear", "cosine", "quarter_cosine"]
"""Names in the order of the kernel's codes 0, 1, 2, 3."""

LossOn = Literal["all", "active"]
MEASURED = ("loss", "training_loss", "active_loss")
"""What may be recorded besides parameters."""

AttackDraw = Literal["example", "batch"]


def _no_word(value: Any) -> Any:
    """The value; a word or a truth value is refused, which pydantic would take for numbers."""
    if isinstance(value, str | bool | np.bool_):
        raise ValueError("choose a number")
    return value


def _listed(kind: type[Any], called: str) -> BeforeValidator:
    """Refuses a list that is longer than anything may be, or of which an entry is of another kind, with one error."""

    def few(value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, Iterator):
            value = tuple(islice(value, MOST + 1))
        if kind is str and isinstance(value, str):
            raise ValueError(f"choose {called} in a list, such as [{value!r}]")
        if getattr(value, "ndim", 1) != 1:
            raise ValueError(f"choose {called}")
        if isinstance(value, Sized) and not isinstance(value, str) and len(value) > MOST:
            raise ValueError(f"choose at most {MOST:,}")
        if isinstance(value, Iterable) and not all(isinstance(one, kind) and not isinstance(one, bool) for one in value):
            raise ValueError(f"choose {called}")
        if kind is Integral and isinstance(value, Iterable) and not all(0 <= one < 2**63 for one in value):
            raise ValueError(f"choose {called} of at least 0, below 2^63")
        return value

    return BeforeValidator(few)


def _remembered(value: float) -> float:
    """The value; refused where 1 - value, in single precision, is off by more than 0.3 %."""
    if value > _MOST_MEMORY:
        why = "nearer to 1 single precision does not know 1 - it to 0.3 %"
        raise ValueError(f"choose a number from 0 to {_MOST_MEMORY}; {why}")
    return value


_MOST_MEMORY = 0.99999
Positive = Annotated[float, BeforeValidator(_no_word), Field(gt=0, le=1e30, allow_inf_nan=False)]
NonNegative = Annotated[float, BeforeValidator(_no_word), Field(ge=0, le=1e30, allow_inf_nan=False)]
Scale = Annotated[float, BeforeValidator(_no_word), Field(ge=0, le=1e15, allow_inf_nan=False)]
Share = Annotated[float, BeforeValidator(_no_word), Field(ge=0, lt=1)]
Memory = Annotated[float, BeforeValidator(_no_word), Field(ge=0), AfterValidator(_remembered)]
"""How much of an average is kept at each step."""

Whole = Annotated[int, BeforeValidator(_no_word), Field(ge=0, lt=2**63)]
Samples = Annotated[int, BeforeValidator(_no_word), Field(ge=1, le=10**9)]
Several = Annotated[Whole | tuple[Whole, ...], _listed(Integral, "whole numbers")]
Names = Annotated[tuple[str, ...], _listed(str, "words")]
Number = Annotated[float, BeforeValidator(_no_word), Field(ge=-1e30, le=1e30, allow_inf_nan=False)]
"""Numbers whose products with others stay numbers in single precision."""


class Recipe(BaseModel):
    """How to train: optimizer, schedule, data, initial weights, seeds, and what to record.

    >>> recipe = Recipe(steps=1000, learning_rate=3e-3, schedule="cosine", seeds=8, record_steps=4)
    >>> recipe.batch_size, recipe.optimizer, recipe.weight_decay               # what was not said
    (1024, 'adamw', 0.01)
    >>> recipe.recorded_steps()
    (0, 1, 10, 100, 1000)
    >>> recipe.replaced(weight_decay={"W": 0.1}).decay_of("b")
    0.0

    Raises:
        InvalidInputError: naming every wrong or unknown field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: Whole = Field(10_000, ge=1, le=10**15, description="optimizer steps")
    batch_size: Samples = Field(1024, description="samples a step")
    learning_rate: Positive = Field(1e-3, description="the rate that the schedule multiplies")
    optimizer: Optimizer = Field("adamw", description="how gradients move weights, see `training.update`")
    weight_decay: Number | dict[str, Number] = Field(
        0.01, description="decay of every parameter, or by name ({'W': 0.01, 'b': 0}; names left out: 0); may be negative"
    )
    decoupled_decay: StrictBool | None = Field(
        None,
        description="whether decay shrinks w by rate x decay, or joins the gradient as decay x w (L2); by default it shrinks "
        "under adamw and joins under the others, as in PyTorch",
    )
    unit_norms: NonNegative = Field(
        0.0, description="pull of each feature's vector w in the encoder to norm 1: first w <- w + rate x this x (1/|w| - 1) w"
    )
    beta1: Memory = Field(0.9, description="memory of Adam's mean gradient")
    beta2: Memory = Field(0.999, description="memory of Adam's mean squared gradient")
    epsilon: Positive = Field(1e-8, description="added to the root in the steps of Adam and RMSProp")
    momentum: Memory = Field(0.9, description="memory of SGD's velocity")
    smoothing: Memory = Field(0.99, description="memory of RMSProp's mean squared gradient")
    schedule: Schedule = Field("constant", description="learning rate over the steps after warm-up")
    warmup_steps: Whole = Field(0, ge=0, description="steps over which the rate rises linearly to its full value")
    final_fraction: Number = Field(0.0, ge=0, le=1, description="share of the rate left at the end of a schedule that falls")
    initialisation: Initialisation = Field("xavier_normal", description="law of the initial weights; biases start at 0")
    initialisation_scale: Scale = Field(1.0, description="factor on the initial weights")
    l1: NonNegative = Field(0.0, description="weight of the penalty |h|_1 in what is minimised (never in `loss`)")
    dropout: Share = Field(0.0, description="share of hidden values that are 0 in training; the others are divided by 1 - it")
    loss_on: LossOn = Field(
        "all", description="whether errors count for all features, or only for those active in a sample (never in `loss`)"
    )
    attack_size: NonNegative = Field(
        0.0, description="length of the adversarial step added to every input, see `training.attack`"
    )
    attack_draw: AttackDraw = Field(
        "example", description="whether each example is attacked at its own random feature, or a batch at one"
    )
    data_set_size: Samples | None = Field(None, description="train on this many fixed samples instead of fresh ones")
    seeds: Several = Field(1, description="how many seeds (0, 1, ...), or the seeds themselves")
    root_seed: Whole = Field(0, ge=0, description="changes every random stream at once")
    evaluation_samples: Samples = Field(65_536, ge=64, description="fresh samples, common to all seeds, that measure `loss`")
    record: Names = Field(
        ("loss",),
        description="what to record on the way: losses ('loss', 'training_loss', 'active_loss') and parameters by name",
    )
    record_steps: Several = Field(0, description="how many steps to record (log-spaced, and step 0), or the steps themselves")

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            wrong = {detail["loc"][0]: _problem(dict(detail)) for detail in reversed(error.errors())}
            raise InvalidInputError(list(reversed(wrong.values()))) from None
        self._check_together()

    def _check_together(self) -> None:
        for name in ("seeds", "record_steps"):
            if isinstance(count := getattr(self, name), int) and count > MOST:
                raise InvalidInputError(f"{name} is {count}", f"choose at most {MOST:,}")
        with Problems() as problems:
            if not self.seed_list:
                problems.add(f"seeds is {self.seeds!r}", "choose at least 1 seed")
            if not isinstance(self.seeds, int) and len(set(self.seeds)) < len(self.seeds):
                problems.add(f"seeds is {self.seeds!r}", "choose different whole numbers of at least 0")
            if self.warmup_steps > self.steps:
                problems.add(f"warmup_steps is {self.warmup_steps} of {self.steps} steps", "choose a shorter warm-up")
            if self.data_set_size is not None and self.batch_size > self.data_set_size:
                problems.add(
                    f"batch_size is {self.batch_size} of a data set of {self.data_set_size}",
                    f"choose at most {self.data_set_size} (equal: every step sees the whole set)",
                )
            named = () if isinstance(self.record_steps, int) else self.record_steps
            outside = [step for step in sorted(named) if not 0 <= step <= self.steps]
            if outside:
                problems.add(f"record_steps contains {outside[0]}", f"choose steps from 0 to {self.steps}")

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds, one instance each."""
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def recorded_steps(self) -> tuple[int, ...]:
        """The steps to record, ascending; a record at step s shows the model after s updates."""
        if not isinstance(self.record_steps, int):
            return tuple(sorted(set(self.record_steps)))
        if self.record_steps <= 0:
            return ()
        spaced = np.rint(np.geomspace(1, self.steps, self.record_steps)).astype(int)
        return (0, *np.unique(spaced).tolist())

    def decay_of(self, parameter: str) -> float:
        """The weight decay of a parameter."""
        return self.weight_decay.get(parameter, 0.0) if isinstance(self.weight_decay, dict) else self.weight_decay

    @property
    def decouples_decay(self) -> bool:
        """Whether weight decay shrinks weights, rather than joining the gradient."""
        return self.optimizer == "adamw" if self.decoupled_decay is None else self.decoupled_decay

    def replaced(self, **changes: Any) -> Self:
        """The same recipe with some fields changed, checked anew."""
        return type(self)(**self.model_dump() | changes)

    def check_names(self, parameters: list[str]) -> None:
        """Raises an `InvalidInputError` where `record` or `weight_decay` name parameters that the net does not have."""
        with Problems() as problems:
            for name in self.record:
                if name not in (*MEASURED, *parameters):
                    problems.add(f"record names {name!r}", f"choose among {', '.join((*MEASURED, *parameters))}")
            for name in self.weight_decay if isinstance(self.weight_decay, dict) else ():
                if name not in parameters:
                    problems.add(f"weight_decay names {name!r}", f"choose among {', '.join(parameters)}")


def _problem(error: dict[str, Any]) -> Problem:
    """One of pydantic's errors in our words."""
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return unknown_field("a recipe", name, list(Recipe.model_fields))
    wish = error["msg"].replace("Input should be", "choose").replace("choose greater", "choose a number greater")
    wish = wish.replace("choose less", "choose a number less")
    return Problem(f"{name} is {shown(error['input'])}", wish.removeprefix("Value error, "))
