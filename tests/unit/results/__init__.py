"""The table of results: filters, pages and files against a plain evaluation of the same rows."""
