"""Ed25519 signatures in provenance.json (RFC 8032), made where no upload is ever read.

What is signed is the document without its `signature`, as JSON with sorted keys and no spaces.
"""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from annotator.errors import AnnotatorFailed, InputRefused

SIGNATURE = "signature"
ALGORITHM = "ed25519"


def sign(file: Path, key: Path) -> None:
    """Add a signature to the JSON document in `file`; `key` is an unencrypted PKCS #8 PEM."""
    private = _private_key(key)
    document = json.loads(file.read_text(encoding="utf-8"))
    document[SIGNATURE] = {
        "algorithm": ALGORITHM,
        "key": _encoded(private.public_key()),
        "value": base64.b64encode(private.sign(_message(document))).decode(),
    }
    draft = file.with_name(f".{file.name}.signed")
    draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    draft.replace(file)


def signer(document: dict[str, Any]) -> str | None:
    """Return the public key, in base64, whose signature holds; None where there is no signature.

    Raises InputRefused when there is one and it does not hold.
    """
    signature = document.get(SIGNATURE)
    if signature is None:
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["key"], validate=True))
        key.verify(base64.b64decode(signature["value"], validate=True), _message(document))
    except (InvalidSignature, KeyError, TypeError, ValueError, binascii.Error):
        raise InputRefused("The signature does not belong to this document.") from None
    return _encoded(key)


def public_key(file: Path) -> str:
    """Return the public key in a PEM file, in base64."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError) as error:
        raise AnnotatorFailed(f"no public key in {file}: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise AnnotatorFailed(f"{file} holds no Ed25519 key")
    return _encoded(key)


def _private_key(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, TypeError, ValueError) as error:
        raise AnnotatorFailed(f"no private key in {file}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AnnotatorFailed(f"{file} holds no Ed25519 key")
    return key


def _message(document: dict[str, Any]) -> bytes:
    unsigned = {key: value for key, value in document.items() if key != SIGNATURE}
    return json.dumps(unsigned, sort_keys=True, separators=(",", ":")).encode()


def _encoded(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
