"""Statistics of two sets of measurements: is the candidate slower than the baseline, by more than matters?"""

from reports.compare.comparison import Comparison, Outcome, Rule
from reports.compare.decision import decide

__all__ = ["Comparison", "Outcome", "Rule", "decide"]
