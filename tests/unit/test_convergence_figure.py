"""The picture of errors against terms shows medians and worst cases of what it is given, and nothing else."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.figures import error_curves

DIMS = ("kind", "curve", "case", "effort")


def errors() -> xr.Dataset:
    error = 10.0 ** -(np.arange(2, 2 + 2 * 2 * 3 * 4).reshape(2, 2, 3, 4) ** 0.5)
    error[1, 0] = np.nan
    terms = np.broadcast_to([8.0, 16, 32, 64], error.shape)
    labels = {"kind": ["random", "sums"], "curve": ["plain", "ours"]}
    return xr.Dataset({"error": (DIMS, error), "terms": (DIMS, terms)}, labels)


def test_each_method_is_drawn_where_it_was_tried() -> None:
    data = errors()
    figure = error_curves(data)
    assert [(trace.name, trace.xaxis) for trace in figure.data] == [
        ("plain, median", "x"),
        ("plain, worst", "x"),
        ("ours, median", "x"),
        ("ours, worst", "x"),
        ("ours, median", "x2"),
        ("ours, worst", "x2"),
    ]
    assert [trace.name for trace in figure.data if trace.showlegend] == [trace.name for trace in figure.data[:4]]
    assert [annotation.text for annotation in figure.layout.annotations] == ["random", "sums"]
    last = data.error.isel(kind=1, curve=1)
    np.testing.assert_allclose(figure.data[4].y, last.median("case"))
    np.testing.assert_allclose(figure.data[5].y, last.max("case"))
    np.testing.assert_array_equal(figure.data[5].x, [8, 16, 32, 64])


def test_efforts_that_changed_nothing_are_one_point_and_errors_end_at_rounding() -> None:
    data = errors()
    data["terms"] = data.terms.clip(min=32)
    data["error"] = data.error * 0
    curve = error_curves(data).data[0]
    np.testing.assert_array_equal(curve.x, [32, 64])
    np.testing.assert_array_equal(curve.y, [1e-16, 1e-16])


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(tg.InvalidInputError, match=r"give one with error \(kind, curve, case, effort\)"):
        error_curves(errors().isel(case=0))
    many = xr.concat([errors().assign_coords(curve=[f"a{i}", f"b{i}"]) for i in range(3)], "curve")
    with pytest.raises(tg.InvalidInputError, match="there are 6 methods: compare at most 4"):
        error_curves(many)
