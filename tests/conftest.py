"""Shapes in annotations are checked while the tests run."""

from jaxtyping import install_import_hook

from tests.oracle import shapes

install_import_hook(["tegum.features", "tegum.nets.net", "tegum.geometry"], f"{shapes.__name__}.checked")
