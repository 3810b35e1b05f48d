"""The schedule in the database: slots and requested runs, who claims them, the schedulers, pauses, and groups of metrics that were pushed."""
