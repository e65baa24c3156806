"""Local Glacier vaults, for an archive other than the default; they live in memory."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import boto3

from dev.children import HOST, DidNotStart, end, free_port, is_free, spawn, wait_for
from dev.local_aws.server import REGION

START_SECONDS = 120


@dataclass(frozen=True)
class LocalVaults:
    """A running server of Glacier vaults."""

    port: int
    process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """Return the AWS variable that leads Glacier calls, and no others, here."""
        return {"AWS_ENDPOINT_URL_GLACIER": f"http://{HOST}:{self.port}"}

    def create(self, name: str) -> None:
        """Make a vault; one whose name starts with `busy` has no Expedited retrievals to give."""
        glacier = boto3.session.Session().client(
            "glacier",
            endpoint_url=self.environment()["AWS_ENDPOINT_URL_GLACIER"],
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local-only",
        )
        glacier.create_vault(vaultName=name)

    def stop(self) -> None:
        """Stop; the vaults are gone."""
        end(self.process)


def start(log: Path, port: int | None = None) -> LocalVaults:
    """Start on a port, or a free one, and wait until it answers; ends with the calling thread."""
    port = port or free_port()
    command = [sys.executable, "-m", "dev.local_vaults", str(port)]
    vaults = LocalVaults(port, spawn(command, {"PATH": os.environ["PATH"]}, log))
    try:
        wait_for(
            f"The local vaults on port {port}",
            vaults.process,
            lambda: not is_free(port),
            log,
            seconds=START_SECONDS,
        )
    except DidNotStart:
        vaults.stop()
        raise
    return vaults
