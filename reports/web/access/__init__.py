"""Who may see the dashboard, and who may change something: one idea a module, put together in `gate`."""
