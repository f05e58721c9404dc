"""Figures over many rows that rules read as tables: quantiles, expected counts, intervals.

One module a topic, pure functions over frames; `registry.ESTIMATES` lists them, the contract's
`estimate.yaml` describes the tables that they make.
"""
