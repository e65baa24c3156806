"""What a developer's machine has in place of the services around us."""
