"""Examples of property tests: the same ones in every run, however slow the machine is, and no folder of old ones."""

from hypothesis import settings

settings.register_profile("steady", max_examples=50, derandomize=True, deadline=None, database=None)
settings.load_profile("steady")
