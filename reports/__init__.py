"""Everything people look at: a finished or running run, shown."""
