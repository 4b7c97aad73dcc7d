"""What the tests need around them: real servers on free ports, ended with the run."""
