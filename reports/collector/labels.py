"""Values that stand in a label for what is not told apart."""

OTHER = "__other__"
"""All that came after a label's bound was reached: pages, values of a metric's label, series, reasons of errors."""
UNKNOWN = "__unknown__"
"""A page whose address is not known."""
