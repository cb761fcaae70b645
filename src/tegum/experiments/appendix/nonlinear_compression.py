"""Two numbers in one: a nonlinear code beats every linear one, even where its steps are ramps.

Paper: the appendix on nonlinear compression (F42).  x and y are uniform on [0, 1); the code is t = (floor(Z x) + y) / Z, and
its floors are linear ramps of width epsilon.  The paper does not say where a ramp lies nor in which units its width is; here
it is centred on the step that it replaces, epsilon wide in x (encoder) and in t (decoder).  Ramps before or after the step,
and widths in the floor's own argument, are shown beside it.  Errors are of both numbers together and exact: nothing is
sampled or trained.
"""

import numpy as np
import xarray as xr

from tegum.claims.old import Claim, Control, Disagreement
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel
from tegum.theory import LINEAR_ERROR, compression_error
from tegum.theory.nonlinear_compression import SHIFTS

SEGMENTS = (1, 2, 3, 4, 8)
POINTS: dict[Profile, int] = {"quick": 26, "paper": 126}
WIDEST = 0.125
PRINTED, PRINTED_SEGMENTS, NEURONS = 0.1, 3, 12
OWN_UNITS = "centred, width in the floor's argument"


def study(profile: Profile) -> xr.Dataset:
    """The error over ramp widths, for every Z and every reading of the ramps."""
    epsilon = np.linspace(0, WIDEST, POINTS[profile])
    readings = [*SHIFTS, OWN_UNITS]
    error = np.zeros((len(readings), len(SEGMENTS), len(epsilon)))
    for k, reading in enumerate(readings):
        for row, segments in enumerate(SEGMENTS):
            error[k, row] = [error_of(segments, float(width), reading) for width in epsilon]
    return xr.Dataset(
        {"error": (("ramps", "segments", "epsilon"), error)},
        {"ramps": readings, "segments": list(SEGMENTS), "epsilon": epsilon},
        {"interrupted": 0},
    )


def error_of(segments: int, epsilon: float, reading: str = "centred") -> float:
    """The exact error under one reading of the ramps."""
    if reading == OWN_UNITS:
        return compression_error(segments, epsilon / segments)
    return next(compression_error(segments, epsilon, placement) for placement in SHIFTS if placement == reading)


def first_winner(reading: str) -> int:
    """The smallest Z whose code beats every linear one at the printed width, 0 if none of those studied does."""
    return next((Z for Z in SEGMENTS if error_of(Z, PRINTED, reading) < LINEAR_ERROR - 1e-12), 0)


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the appendix."""
    sharp = max(abs(error_of(Z, 0) - 1 / (12 * Z**2)) for Z in SEGMENTS)
    ramped = max(abs(error_of(Z, 0.01) - 1 / (12 * Z**2)) for Z in SEGMENTS)
    three, one = error_of(PRINTED_SEGMENTS, PRINTED), error_of(1, PRINTED)
    readings = {name: error_of(PRINTED_SEGMENTS, PRINTED, name) for name in data["ramps"].values}
    first = {name: first_winner(name) for name in readings}
    winner = first.pop("centred")
    wide = 1 / PRINTED_SEGMENTS
    return [
        Claim(
            name="sharp-steps",
            statement="With sharp steps the code costs 1 / (12 Z^2), against 1/12 for a linear code.",
            how=f"largest deviation over Z = {', '.join(map(str, SEGMENTS))}",
            expected="0",
            tolerance="1e-12",
            measured=f"{sharp:.1e}",
            holds=sharp <= 1e-12,
            evidence="exact",
            control=Control("ramps of width 0.01", f"{ramped:.1e}", ramped <= 1e-12),
        ),
        Claim(
            name="beats-linear",
            statement="Even with ramps of width 0.1, Z = 3 beats linear compression.",
            how="squared error of both numbers at epsilon = 0.1, Z = 3",
            expected=f"below {LINEAR_ERROR:.4f} together, below {LINEAR_ERROR / 2:.4f} per number",
            tolerance="as stated",
            measured=f"{three:.4f} together, {three / 2:.4f} per number",
            holds=three < LINEAR_ERROR,
            evidence="exact",
            control=Control("Z = 1, which keeps y and forgets x", f"{one:.4f}", one < LINEAR_ERROR - 1e-12),
            note="; ".join(f"{name}: {value:.4f}" for name, value in readings.items())
            + f". Ramps as wide as they can be (1/3, centred) cost {error_of(PRINTED_SEGMENTS, wide):.4f}.",
        ),
        Claim(
            name="starts-at-36-neurons",
            statement="At 12 neurons a segment the code starts to win at 36 neurons, Z = 3.",
            how="smallest Z whose error at epsilon = 0.1 is below the linear one, times 12",
            expected=f"Z = {PRINTED_SEGMENTS}, {PRINTED_SEGMENTS * NEURONS} neurons",
            tolerance="none",
            measured=f"Z = {winner}, {winner * NEURONS} neurons",
            holds=winner == PRINTED_SEGMENTS,
            evidence="exact",
            disagreement=Disagreement(
                paper=f"{PRINTED_SEGMENTS * NEURONS} neurons (Z = {PRINTED_SEGMENTS})",
                exact=f"{winner * NEURONS} neurons (Z = {winner}, error {error_of(winner, PRINTED):.4f})",
                why="With centred ramps two segments win already. The paper does not say where its ramps lie, and the neuron "
                "count is its own.",
            ),
            note="By other readings: " + "; ".join(f"{name}, Z = {Z or 'none'}" for name, Z in first.items()) + ".",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Error against ramp width: by Z, and by reading of the ramps."""
    line = xr.full_like(data["epsilon"], LINEAR_ERROR)
    labels = ("width ε of a ramp, in x and t", "squared error of x and y together")
    by_z = {f"Z = {Z}": data["error"].sel(ramps="centred", segments=Z, drop=True) for Z in SEGMENTS[1:]}
    by_reading = {
        f"Z = {PRINTED_SEGMENTS}, {name}": data["error"].sel(ramps=name, segments=PRINTED_SEGMENTS, drop=True)
        for name in data["ramps"].values
    }
    return {
        "segments": Figure(
            curve_panel(by_z | {"linear code": line}, *labels),
            "Two uniform numbers packed into one. With sharp steps (ε = 0) more segments are better, with wide ramps fewer. "
            "Every code below the linear line beats each linear compression, at ε = 0.1 all of them.",
        ),
        "ramps": Figure(
            curve_panel(by_reading | {"linear code": line}, *labels),
            "The paper does not say where its ramps lie. Before or after the step, the whole ramp counts as an error of one "
            "sign, and at ε = 0.1 the code no longer wins.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Two numbers in one: nonlinear compression beats linear",
    paper="Appendix, nonlinear compression (F42)",
    seconds={"quick": 1, "paper": 3},
    study=study,
    figures=figures,
    claims=claims,
    order=1,
)
