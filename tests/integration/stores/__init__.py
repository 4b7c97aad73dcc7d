"""stores/ on a real PostgreSQL."""
