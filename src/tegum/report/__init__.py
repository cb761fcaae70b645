"""The folder of results and the static page that shows every figure and every verdict in it."""

from tegum.report.folder import ResultFolder
from tegum.report.page import write_page
from tegum.report.part import Part, read_pictures

__all__ = ["Part", "ResultFolder", "read_pictures", "write_page"]
