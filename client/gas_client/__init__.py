"""The client of GAS, a genomics annotation service: the command `gas`, and this for notebooks.

from gas_client import Client

client = Client.from_profile()
job = client.submit("sample.vcf.gz").wait()
for batch in job.variants("gene=PDIA2"):
    ...
"""

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
