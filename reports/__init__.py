"""Exporters: read the tables of a night and write files. They compute nothing new."""
