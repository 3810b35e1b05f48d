"""The pages about real users, one module and one template each."""
