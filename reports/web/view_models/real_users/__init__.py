"""The data of the pages about real users."""
