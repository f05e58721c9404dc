"""The audit library: nouns, contract, rulebook, engines, scores. Opens no data file."""

__version__ = "0.1.0"
