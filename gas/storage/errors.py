"""How storage fails, in kinds told apart by the vendor's code and status, never its text."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    NoCredentialsError,
)


class StorageError(Exception):
    """The storage refused in a way nobody expected; the subclasses are what callers act on."""


class StorageUnavailable(StorageError):
    """Out of order, too busy or out of reach: the same call may succeed later."""


class ObjectMissing(StorageError):
    """There is nothing at that place."""


class ChecksumMismatch(StorageError):
    """The bytes are not the ones that were expected."""


class ObjectReplaced(ChecksumMismatch):
    """There are other bytes at that place than were there when it was looked at."""


class NotThawed(StorageError):
    """The archive copy cannot be read: its retrieval has not finished, or has lapsed."""


class DiskRefused(StorageError):
    """The disk of this machine takes nothing more; that of another may."""


class AccessRefused(StorageError):
    """The service's own credentials or permissions were refused."""


_KINDS: dict[type[StorageError], frozenset[str]] = {
    ObjectMissing: frozenset({"404", "NoSuchKey", "NotFound", "ResourceNotFoundException"}),
    ObjectReplaced: frozenset({"412", "PreconditionFailed"}),
    ChecksumMismatch: frozenset(
        {
            "BadDigest",
            "InvalidDigest",
            "XAmzContentChecksumMismatch",
            "XAmzContentSHA256Mismatch",
        }
    ),
    NotThawed: frozenset({"InvalidObjectState"}),
    AccessRefused: frozenset(
        {
            "AccessDenied",
            "AccessDeniedException",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        }
    ),
    StorageUnavailable: frozenset(
        {
            "ConditionalRequestConflict",  # two completions of one upload at once
            "InsufficientCapacityException",  # a vault has no retrieval of any tier to give now
            "InternalError",
            "LimitExceededException",  # too many retrievals of a vault at once
            "NoSuchUpload",  # a repeated completion of an upload whose first answer was lost
            "OperationAborted",
            "PolicyEnforcedException",  # today's share of retrievals from vaults is used up
            "RequestLimitExceeded",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
        }
    ),
}
_BY_CODE = {code: kind for kind, codes in _KINDS.items() for code in codes}


def code_of(error: ClientError) -> str:
    """Return the vendor's error code, such as `NoSuchKey`."""
    return error.response.get("Error", {}).get("Code", "")


def kind_of(code: str, status: int) -> type[StorageError]:
    """Choose the exception for an error code and its HTTP status."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status >= 500 or status == 429:
        return StorageUnavailable
    return AccessRefused if status in {401, 403} else StorageError


@contextmanager
def translated(subject: object) -> Iterator[None]:
    """Raise a `StorageError` about `subject` in place of whatever botocore raises."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise kind_of(code, status)(f"{subject}: {code} ({status})") from error
    except (NoCredentialsError, CredentialRetrievalError) as error:
        raise AccessRefused(f"{subject}: no credentials") from error
    except FlexibleChecksumError as error:
        raise ChecksumMismatch(f"{subject}: changed on the way") from error
    except BotoCoreError as error:
        # What is left is the wire: refused, reset, timed out or ended early.
        raise StorageUnavailable(f"{subject}: {type(error).__name__}") from error
