"""Why somebody could not sign in."""


class SignInRefused(Exception):
    """Nobody was signed in; the message is the sentence to show."""
