"""A day of dispatched runs in ten minutes, with faults, and the ledger at its end."""
