"""Statistics of two sets of measurements: is the candidate slower than the baseline, by more than matters?"""

from reports.compare.comparison import Comparison, Outcome, Rule

__all__ = ["Comparison", "Outcome", "Rule"]
