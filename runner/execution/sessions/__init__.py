"""The signed-in state of a run: how it is made, used and lost."""
