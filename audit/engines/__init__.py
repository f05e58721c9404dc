"""Engines that run rules. DuckDB is the default; each engine is one file behind `base.Engine`."""
