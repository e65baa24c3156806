"""What AWS takes for what we keep and ask: the table of prices, and the formulas over it.

Prices are US dollars without tax and without the free tier, which a busy service has used up on
its first days. A GB is 2**30 bytes and a month 30 days, as AWS bills them.
"""

from dataclasses import asdict, dataclass
from datetime import date, timedelta

GB = 2**30
KB = 2**10
MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Prices:
    """Prices of one region on one day.

    https://aws.amazon.com/s3/pricing/ and https://aws.amazon.com/sqs/pricing/
    """

    region: str
    as_of: date
    standard_gb_month: float  # S3 Standard, the first 50 TB
    glacier_gb_month: float  # S3 Glacier Flexible Retrieval
    put_thousand: float  # PUT, COPY, POST and LIST
    get_thousand: float  # GET, HEAD and all others
    glacier_put_thousand: float  # PUT or COPY into the archive
    retrieval_gb: dict[str, float]  # by tier
    retrieval_thousand: dict[str, float]  # restore requests, by tier
    sqs_million: float  # requests to a standard queue


PRICES = Prices(
    region="us-east-1",
    as_of=date(2025, 12, 1),
    standard_gb_month=0.023,
    glacier_gb_month=0.0036,
    put_thousand=0.005,
    get_thousand=0.0004,
    glacier_put_thousand=0.03,
    retrieval_gb={"Expedited": 0.03, "Standard": 0.01},
    retrieval_thousand={"Expedited": 10.0, "Standard": 0.05},
    sqs_million=0.40,
)

#: Beside each archived object AWS keeps, and bills, so much of an index and of a name.
INDEX_IN_GLACIER, NAME_IN_STANDARD = 32 * KB, 8 * KB

#: Whatever leaves the archive earlier is billed as if it had stayed so long.
LEAST_STAY = timedelta(days=90)

#: A message that is worked on: it is sent, received and deleted.
REQUESTS_OF_A_MESSAGE = 3


def standard(size: int, stay: timedelta = MONTH) -> float:
    """Dollars for bytes at hand: GB x months x price of a GB-month of S3 Standard."""
    return size / GB * (stay / MONTH) * PRICES.standard_gb_month


def archived(size: int, files: int, stay: timedelta = MONTH) -> float:
    """Dollars for bytes in the archive, with what AWS adds to each object.

    (bytes + 32 KB x files) in GB x months x price of Glacier, and 8 KB x files at S3 Standard.
    """
    cold = (size + INDEX_IN_GLACIER * files) / GB * (stay / MONTH) * PRICES.glacier_gb_month
    return cold + standard(NAME_IN_STANDARD * files, stay)


def early_deletion(size: int, files: int, stay: timedelta) -> float:
    """Dollars for what leaves the archive after `stay`: the rest of 90 days, if there is a rest."""
    rest = max(timedelta(0), LEAST_STAY - stay)
    return (size + INDEX_IN_GLACIER * files) / GB * (rest / MONTH) * PRICES.glacier_gb_month


def retrieval(size: int, files: int, tier: str) -> float:
    """Dollars for one retrieval: GB x price of the tier, and a restore request for each file."""
    by_size = size / GB * PRICES.retrieval_gb[tier]
    return by_size + files / 1000 * PRICES.retrieval_thousand[tier]


def requests(*, puts: int, gets: int, archivings: int) -> float:
    """Dollars for calls of S3: thousands of each kind x its price."""
    return (
        puts * PRICES.put_thousand
        + gets * PRICES.get_thousand
        + archivings * PRICES.glacier_put_thousand
    ) / 1000


def messages(count: int) -> float:
    """Dollars for so many messages that were worked on: three requests of SQS each."""
    return count * REQUESTS_OF_A_MESSAGE / 1_000_000 * PRICES.sqs_million


def monthly(*, at_hand: int, in_archive: int, files_in_archive: int) -> float:
    """Dollars that keeping so many bytes costs in 30 days; nothing is asked for them meanwhile."""
    return standard(at_hand) + archived(in_archive, files_in_archive)


@dataclass(frozen=True)
class Cost:
    """What something has cost up to now, in dollars, by what AWS writes on its bill."""

    storage: float = 0.0
    archive: float = 0.0
    early_deletion: float = 0.0
    retrieval: float = 0.0
    requests: float = 0.0
    messages: float = 0.0

    @property
    def total(self) -> float:
        """All of it together."""
        return float(sum(asdict(self).values()))
