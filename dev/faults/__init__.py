"""What makes the local service fail on purpose: a proxy before AWS, and deaths at named steps."""
