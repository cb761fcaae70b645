"""How Sphinx builds the documentation: ``make docs``."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "tegum"
author = "The tegum authors"
project_copyright = "the tegum authors, MIT licence"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_lab", "sphinx_pages"]
exclude_patterns = ["pictures"]
nitpicky = False

# Markdown, and the notebook: executed at each build, with pictures that need no network to be looked at.
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = os.environ.get("TEGUM_DOCS_EXECUTE", "force")
nb_execution_timeout = 300
nb_execution_raise_on_error = True
os.environ["PLOTLY_RENDERER"] = "notebook"

# The reference comes from docstrings.
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = True
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "tegum"
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
