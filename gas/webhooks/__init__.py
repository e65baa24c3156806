"""Calls to addresses that users chose: signed, to public addresses alone, soon given up."""
