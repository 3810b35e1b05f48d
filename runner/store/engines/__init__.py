"""How a store connects: to a SQLite file, or to PostgreSQL on one or several hosts; and why it could not."""
