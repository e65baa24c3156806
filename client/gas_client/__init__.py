"""The client of GAS, a genomics annotation service: the command `gas`, and this for notebooks.

from gas_client import Client

client = Client.from_profile()
job = client.submit("sample.vcf.gz").wait()
for batch in job.variants("gene=PDIA2"):
    ...
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gas_client.client import Client
    from gas_client.errors import (
        FileTrouble,
        GasError,
        JobFailed,
        Limited,
        Misused,
        NotSignedIn,
        NotThere,
        Refused,
        TookTooLong,
        Unavailable,
    )
    from gas_client.job import Format, Job
    from gas_client.progress import Bars
    from gas_client.records import Bundle, JobFacts, Me, ResultFile, Status
    from gas_client.version import __version__

__all__ = [
    "Bars",
    "Bundle",
    "Client",
    "FileTrouble",
    "Format",
    "GasError",
    "Job",
    "JobFacts",
    "JobFailed",
    "Limited",
    "Me",
    "Misused",
    "NotSignedIn",
    "NotThere",
    "Refused",
    "ResultFile",
    "Status",
    "TookTooLong",
    "Unavailable",
    "__version__",
]

#: Where names come from that are imported when somebody asks for them: the command, which begins
#: with this module too, must be able to end quietly before that.
_MODULES = {
    "client": {"Client"},
    "job": {"Format", "Job"},
    "progress": {"Bars"},
    "records": {"Bundle", "JobFacts", "Me", "ResultFile", "Status"},
    "version": {"__version__"},
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = next((module for module, names in _MODULES.items() if name in names), "errors")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return __all__
