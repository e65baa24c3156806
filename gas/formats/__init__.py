"""How times are written where a page does not choose."""
