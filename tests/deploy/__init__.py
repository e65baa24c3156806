"""How real: the tools that AWS and Debian use themselves, over the files that are deployed."""
