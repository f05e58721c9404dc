"""Made-up enterprises with known truth, to measure the matcher; knows nothing of the matcher."""
