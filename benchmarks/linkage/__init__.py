"""The matcher measured beside Splink on firms with known truth."""
