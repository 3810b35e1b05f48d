"""Label values for everything that is not distinguished."""

OTHER = "__other__"
"""Everything beyond a label's limit: pages, values of a metric's label, series, reasons of errors."""
UNKNOWN = "__unknown__"
"""A page whose address is not known."""
