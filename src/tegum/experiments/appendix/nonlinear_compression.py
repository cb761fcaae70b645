"""Two numbers in one: a nonlinear code beats every linear one, even where its steps are ramps.

Paper: the appendix on nonlinear compression (F42).  x and y are uniform on [0, 1); the code is t = (floor(Z x) + y) / Z, and
its floors are linear ramps of width epsilon.  The paper does not say where a ramp lies nor in which units its width is; here
it is centred on the step that it replaces, epsilon wide in x (encoder) and in t (decoder).  Ramps before or after the step,
and widths in the floor's own argument, stand beside it.  Errors are of both numbers together and exact; nothing is trained.
"""

from functools import partial

import numpy as np
import xarray as xr

from tegum.claims import IDENTITY, OURS, Claim, Disagreement, Evidence, at_least, at_most, below, equal, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel
from tegum.theory.nonlinear_compression import LINEAR_ERROR, SHIFTS, Placement, compression_error

SEGMENTS = [1, 2, 3, 4, 8]
POINTS: dict[Profile, int] = {"quick": 26, "paper": 126}
WIDTHS = (0.0, 0.01, 0.02, 0.05, 0.1)
PRINTED, PRINTED_SEGMENTS, NEURONS = 0.1, 3, 12
OWN_UNITS = "centred, width in the floor's argument"
READINGS: dict[str, Placement] = {**{name: name for name in SHIFTS}, OWN_UNITS: "centred"}
LOWER = LINEAR_ERROR - 1e-12
"""What beats a linear code; one segment only equals it."""


def study(profile: Profile) -> xr.Dataset:
    """The error over ramp widths, for every Z and every reading of the ramps."""
    epsilon = np.linspace(0, 1 / max(SEGMENTS), POINTS[profile])
    error = [[errors_at(width, name).values for width in epsilon.tolist()] for name in READINGS]
    axes = {"ramps": list(READINGS), "epsilon": epsilon, "segments": SEGMENTS}
    return xr.Dataset({"error": (tuple(axes), error)}, axes).transpose("ramps", "segments", "epsilon")


def errors_at(epsilon: float, reading: str = "centred") -> xr.DataArray:
    """The exact error of every Z at one width, under one reading of the ramps."""
    widths = [epsilon / Z if reading == OWN_UNITS else epsilon for Z in SEGMENTS]
    error = [compression_error(Z, width, READINGS[reading]) for Z, width in zip(SEGMENTS, widths, strict=True)]
    return xr.DataArray(error, [("segments", SEGMENTS)])


def first_winner(errors: xr.DataArray) -> dict[str, int | None]:
    """The smallest Z studied whose code beats every linear one, if there is one, and its neurons."""
    winners = errors["segments"].values[errors < LOWER]
    return {"Z": int(winners[0]), "neurons": int(winners[0]) * NEURONS} if winners.size else {"Z": None, "neurons": None}


def best_segments(reading: str) -> list[int]:
    """The Z of the lowest error at each of some widths."""
    return [int(errors_at(width, reading).idxmin()) for width in WIDTHS]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the appendix."""
    readings = {name: errors_at(PRINTED, name) for name in READINGS}
    centred, claim = readings["centred"], partial(Claim, evidence=Evidence("exact"))
    three = [f"{name}: {float(errors.sel(segments=PRINTED_SEGMENTS)):.4f}" for name, errors in readings.items()]
    widest = compression_error(PRINTED_SEGMENTS, 1 / PRINTED_SEGMENTS)
    first = {name: first_winner(errors) for name, errors in readings.items()}
    winner = first.pop("centred")
    others = "; ".join(f"{name}, Z = {found['Z'] or 'none'}" for name, found in first.items())
    return [
        claim(
            "sharp-steps",
            "With sharp steps the code costs 1 / (12 Z^2), against 1/12 for a linear code.",
            source=IDENTITY,
            how="deviation for every Z, the number of segments",
            measure=lambda errors: abs(errors - 1 / (12 * errors["segments"] ** 2)),
            expect=at_most(1e-12),
            of=errors_at(0.0),
            against={"ramps of width 0.01": errors_at(0.01)},
        ),
        claim(
            "beats-linear",
            "Even with ramps of width 0.1, Z = 3 beats linear compression.",
            source=paper("Nonlinear Compression", "the nonlinear compression outperforms linear compression"),
            how="squared error at epsilon = 0.1, Z = 3, of both numbers together; a linear code has 1/12",
            measure=lambda error: {"together": float(error), "per number": float(error) / 2},
            expect={"together": below(LOWER)},
            of=centred.sel(segments=PRINTED_SEGMENTS),
            against={"Z = 1, which keeps y and forgets x": centred.sel(segments=1)},
            note=f"{'; '.join(three)}. Ramps as wide as they can be (1/3, centred) cost {widest:.4f}.",
        ),
        claim(
            "fewer-segments",
            "The wider the ramps, the fewer segments are best.",
            source=OURS,
            how=f"Z of the lowest error at epsilon = {', '.join(f'{width:g}' for width in WIDTHS)}, ramps centred",
            measure=lambda best: {"Z": best, "fall": best[0] - best[-1] if best == sorted(best)[::-1] else 0},
            expect={"fall": at_least(1)},
            of=best_segments("centred"),
            against={f"ramps {OWN_UNITS}": best_segments(OWN_UNITS)},
        ),
        claim(
            "starts-at-36-neurons",
            "At 12 neurons a segment the code starts to win at 36 neurons, Z = 3.",
            source=paper("Nonlinear Compression", "so only starts to beat linear compression at a combined 36 neurons"),
            how="smallest Z whose error at epsilon = 0.1 is below the linear one, and times 12",
            measure=first_winner,
            expect={"Z": equal(PRINTED_SEGMENTS), "neurons": equal(PRINTED_SEGMENTS * NEURONS)},
            of=centred,
            against={"sharp steps": errors_at(0.0)},
            disagreement=Disagreement(
                paper=f"{PRINTED_SEGMENTS * NEURONS} neurons (Z = {PRINTED_SEGMENTS})",
                exact=f"{winner['neurons']} neurons (Z = {winner['Z']}, error {float(centred.sel(segments=winner['Z'])):.4f})",
                why="With centred ramps two segments win already. The paper does not say where its ramps lie, and the neuron "
                "count is its own.",
            ),
            note=f"By other readings: {others}.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Error against ramp width: by Z, and by reading of the ramps."""
    line = xr.full_like(data["epsilon"], LINEAR_ERROR)
    labels = ("width ε of a ramp, in x and t", "squared error of x and y together")
    by_z = {f"Z = {Z}": data["error"].sel(ramps="centred", segments=Z) for Z in SEGMENTS[1:]}
    three = data["error"].sel(segments=PRINTED_SEGMENTS)
    by_reading = {f"Z = {PRINTED_SEGMENTS}, {name}": three.sel(ramps=name) for name in READINGS}
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
    order=1,
)
