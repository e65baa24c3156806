"""How real: workers, brokers and databases that fail on purpose."""
