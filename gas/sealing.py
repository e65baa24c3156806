"""Secrets that we must be able to read again: encrypted at rest with `TOKEN_KEYS`."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

__all__ = ["InvalidToken", "reseal", "seal", "unseal"]


def seal(secret: str) -> bytes:
    """Encrypt with the newest key."""
    return _safe().encrypt(secret.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """Decrypt with whichever key fits; InvalidToken when none does."""
    return _safe().decrypt(bytes(sealed)).decode()


def reseal(sealed: bytes | memoryview) -> bytes:
    """Encrypt anew with the newest key what any key opens; InvalidToken when none does."""
    return _safe().rotate(bytes(sealed))


def _safe() -> MultiFernet:
    """Seal with the newest key, open with every one."""
    return MultiFernet([Fernet(key) for key in settings.TOKEN_KEYS])
