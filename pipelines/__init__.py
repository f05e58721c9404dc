"""The order of work: every reading and writing, the stages of a night, the command line."""

import os

# Our linear algebra is of a few numbers at a time: threads would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
