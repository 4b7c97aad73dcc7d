"""The workers' real code on a broker, databases and a clock in memory, under a scheduler that a seed drives."""
