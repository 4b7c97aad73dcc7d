"""stores/ against plain oracles."""
