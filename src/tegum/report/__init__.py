"""The folder of results and the static page that shows every figure and every verdict in it; a page of any dataset."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.report.folder import ResultFolder
    from tegum.report.page import write_page
    from tegum.report.part import Part, read_pictures
    from tegum.report.showing import show
    from tegum.report.shown import Shown

__all__ = ["Part", "ResultFolder", "Shown", "read_pictures", "show", "write_page"]

load_on_first_use(__name__)
