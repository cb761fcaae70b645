"""The colours of shapes: one for each that the paper names, the same in every picture.

    kind_of("2-simplex")                 "another shape"
    kind_of("irregular (7 in 3)")        "irregular"

The colours are told apart by colour-blind readers (after Paul Tol).
"""

SHAPE_COLOURS = {
    "dedicated": "#222222",
    "tetrahedron": "#66ccee",
    "triangle": "#228833",
    "digon": "#ee6677",
    "pentagon": "#4477aa",
    "square antiprism": "#aa3377",
    "another shape": "#ccbb44",
    "irregular": "#999999",
    "not learned": "#e6e6e6",
}
"""Every kind of shape, from many dimensions per feature to few, and its colour."""


def kind_of(name: str) -> str:
    """The kind that a name given by `tegum.geometry.identify` belongs to."""
    if name.startswith("irregular"):
        return "irregular"
    return name if name in SHAPE_COLOURS else "another shape"
