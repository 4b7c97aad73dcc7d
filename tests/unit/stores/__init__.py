"""stores/ without a server."""
