"""A simulated group of workers: what arrives, how it grows and shrinks, and what that costs."""
