"""How words are looked for: alike in whatever case, width or composition they were typed."""

import unicodedata


def folded(text: str) -> str:
    """Return a text as it is compared (Unicode's NFKC and full case folding)."""
    return unicodedata.normalize("NFKC", text).casefold()
