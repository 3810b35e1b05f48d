"""Pages checked for accessibility in a run: at the ends of steps, and by `expect_accessible`. Imported only when one is to be checked."""
