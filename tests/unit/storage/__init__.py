"""How real: storage without a network."""
