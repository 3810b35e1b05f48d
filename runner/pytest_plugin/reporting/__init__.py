"""What pytest prints of a journey, and how it gets there from a worker of xdist."""
