"""Benchmarks that print ratios."""

#: The queues that a chain of three goes through.
STEPS = ("annotate", "notify", "archive")
