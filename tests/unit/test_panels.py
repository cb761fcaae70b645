"""What all pictures are made of: panels in order, one legend entry a group, lines with gaps, colour scales, axes."""

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

import tegum as tg
from tegum.figures.curves import curve_panel
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.figures.panels import Panels
from tegum.figures.theme import colour_scale, log_labels, log_range, stepped, styled
from tegum.figures.traces import arrow, dots, line, segments
from tegum.report.part import width_of


def test_panels_come_row_by_row_and_are_narrowed_by_row_and_column() -> None:
    panels = Panels.titled("abc", columns=2)
    assert [(panel.row, panel.column, panel.axis) for panel in panels] == [(1, 1, ""), (1, 2, "2"), (2, 1, "3")]
    panels.at(column=2).x_axis("right", 7)
    panels.y_axis(range=[0, 1])
    titles = [axis.title.text for axis in panels.figure.select_xaxes()]
    assert titles == [None, "right", None, "right"]
    assert {axis.range for axis in panels.figure.select_yaxes()} == {(0, 1)}


def test_titles_are_text_and_may_have_lines() -> None:
    figure = Panels.titled(["R&D <b>x</b>", "p < 1<br>m > 2"]).figure
    assert [note.text for note in figure.layout.annotations] == ["R&amp;D &lt;b&gt;x&lt;/b&gt;", "p &lt; 1<br>m &gt; 2"]
    letters = [width_of(styled(Panels.titled([title * 20]).figure, 300)) for title in ("<", "x")]
    assert letters[0] == letters[1]


def test_many_panels_share_the_room_and_few_keep_their_gaps() -> None:
    for count in (3, 16):
        models = dict.fromkeys(map(str, range(count)), np.eye(2))
        for picture, axis, gap, most in (
            (tg.figures.gram_panels(models), "xaxis", 0.07, 0.5),
            (tg.figures.network_panels(models, columns=1), "yaxis", 0.08, 0.8),
        ):
            ends = sorted(picture.layout[axis + (str(k) if k > 1 else "")].domain for k in range(1, count + 1))
            between = [after[0] - before[1] for before, after in pairwise(ends)]
            np.testing.assert_allclose(between, min(gap, most / (count - 1)))


def test_a_matrix_is_drawn_in_square_cells_with_its_first_row_above() -> None:
    panels = Panels.titled("ab")
    panels.at(1, 2).add_square(go.Heatmap(z=np.eye(2)))
    axis = panels.figure.layout.yaxis2
    assert (axis.autorange, axis.scaleanchor, axis.constrain) == ("reversed", "x2", "domain")


def test_spans_are_shaded_in_their_panel() -> None:
    panels = Panels.titled("ab")
    for panel in panels:
        panel.shade([(1, 2), (3, 4)], "red")
    shapes = [(shape.xref, shape.yref, shape.x0, shape.x1) for shape in panels.figure.layout.shapes]
    assert shapes[2:] == [("x2", "y2 domain", 1, 2), ("x2", "y2 domain", 3, 4)]


def test_a_group_has_one_entry_and_what_is_said_on_hovering_no_second_box() -> None:
    traces = [line([0], [0], hover="%{y}", name=name, legendgroup=name) for name in ("a", "b", "a")]
    figure = styled(go.Figure([*traces, dots([0], [0], {})]), 300, margin={"t": 5})
    assert [trace.showlegend for trace in figure.data] == [True, True, False, None]
    assert [trace.hovertemplate for trace in figure.data] == ["%{y}<extra></extra>"] * 3 + [None]
    assert (figure.layout.margin.t, figure.layout.margin.l, figure.layout.height) == (5, 55, 300)


def test_lines_with_gaps_and_arrows_in_both_dimensions() -> None:
    W = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(segments(0, W), [[0, 1, np.nan, 0, 2, np.nan], [0, 3, np.nan, 0, 4, np.nan]])
    assert segments(np.zeros((3, 0)), np.zeros((3, 0))).shape == (3, 0)
    assert [arrow(tip, "red", 1, 5, "x").type for tip in ([1, 2], [1, 2, 3])] == ["scatter", "scatter3d"]


def test_scales_and_ranges() -> None:
    assert stepped(["red", "blue"]) == [[0, "red"], [0.5, "red"], [0.5, "blue"], [1, "blue"]]
    assert colour_scale("Viridis", 0, 1, "norm", len=0.5)["colorbar"]["len"] == 0.5
    assert log_range([10, 0.1, 1], 0.5) == pytest.approx([-1.5, 1.5])


def test_many_decades_have_few_labels_from_the_lowest_on() -> None:
    assert log_labels([[1e-9], [2.0]])["ticktext"] == ["10⁻⁹", "10⁻⁷", "10⁻⁵", "10⁻³", "0.1", "10"]
    assert log_labels([[1e-300, 1e300]])["tickvals"][:2] == pytest.approx([1e-300, 1e-180])
    assert log_labels([[0.0, np.nan]]) == {"dtick": 1}


def test_a_picture_is_as_wide_as_its_words() -> None:
    loss = {"a": xr.DataArray([1.0, 2.0], {"p": [0.1, 1.0]}, ["p"])}
    plain = width_of(curve_panel(loss, "density", "loss"))
    assert width_of(curve_panel(loss, "d" * 60, "loss")) > plain + 100
    assert width_of(curve_panel({"n" * 60: loss["a"]}, "density", "loss")) > plain + 100
    titled = styled(Panels.titled(["a short one", "t" * 60]).figure, 300)
    assert width_of(titled) > width_of(styled(Panels.titled(["a", "b"]).figure, 300)) + 200


def test_short_logarithmic_axes_are_labelled_between_powers_of_ten() -> None:
    curve = MarkedCurve("loss", np.array([2.0, 13.0]), np.array([1.2, 0.0]))
    drawn = marked_panels({"": [curve]}, "m", "loss", log_x=True, log_y=True).layout
    assert {2.0, 5.0, 10.0} <= set(drawn.xaxis.tickvals)
    assert drawn.yaxis.tickvals is None  # one positive value spans nothing
    wide = MarkedCurve("loss", np.array([1.0, 1e6]), np.array([1.0, 2.0]))
    labelled = marked_panels({"": [wide]}, "m", "loss", log_x=True).layout.xaxis.tickvals
    np.testing.assert_allclose(np.log10(labelled[:7]), np.arange(7))
