"""The order of work: every reading and writing, the stages of a night, the command line."""
