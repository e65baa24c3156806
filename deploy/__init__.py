"""What runs the service at AWS."""
