"""A job's table of variants, read in place: filtered, sorted, shown in pages, and copied out."""
