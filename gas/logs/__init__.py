"""Lines of the log: what each is about, what must not stand in it, and how it is written."""
