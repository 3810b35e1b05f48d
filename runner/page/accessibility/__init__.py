"""Checks pages with axe-core. Imported only when a page is to be checked."""
