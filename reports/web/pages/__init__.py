"""The pages, one module and one template each."""
