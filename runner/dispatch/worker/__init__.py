"""The program of a worker that takes runs from the queue of its location."""
