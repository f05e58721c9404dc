"""A seeded, realistic delivery for trying the audit, with known errors planted in it.

It imports the contract and the code check digits only, never the checks.
"""

from __future__ import annotations

from sample_data.generate import generate
from sample_data.inject import PLANTERS, inject
from sample_data.write import SampleSummary, write_delivery, write_sample

__all__ = ["PLANTERS", "SampleSummary", "generate", "inject", "write_delivery", "write_sample"]
