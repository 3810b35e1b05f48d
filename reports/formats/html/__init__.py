"""Pages as files: whole in themselves, so that they open from a disk or a ticket."""
