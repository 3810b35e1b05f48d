"""Every setting, parsed in one place."""
