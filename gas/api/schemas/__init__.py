"""What the API takes and gives, each with what its fields mean and an example."""
