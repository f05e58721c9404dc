"""Record linkage of units: parse, block, compare, weigh, decide."""
