"""A plain program and library that annotates the variants of a VCF file."""

__version__ = "0.1.0"
