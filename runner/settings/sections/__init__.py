"""The named sections of the settings file: one module each, with its value and its parser."""
