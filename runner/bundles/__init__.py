"""Bundles: the files of a project's journeys as one signed archive, which carries them to the machines that run them."""
