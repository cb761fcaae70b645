"""The static page that shows every figure and every verdict."""

from tegum.report.page import Part, write_report

__all__ = ["Part", "write_report"]
