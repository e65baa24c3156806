"""What AWS takes for what is there whether jobs come or not, beside `gas.prices` for what jobs ask.

US dollars without tax, free tier and reservations; a month has 730 hours, as AWS counts it.
"""

from dataclasses import dataclass
from datetime import date

HOURS = 730


@dataclass(frozen=True)
class Tariff:
    """Prices of one region on one day, each from the page named beside it."""

    region: str
    as_of: date
    machine_hour: dict[str, float]  # https://aws.amazon.com/ec2/pricing/on-demand/
    spot: float  # part of that, of the last months: https://aws.amazon.com/ec2/spot/pricing/
    disk_gb_month: float  # gp3: https://aws.amazon.com/ebs/pricing/
    address_hour: float  # public IPv4: https://aws.amazon.com/vpc/pricing/
    nat_hour: float  # the same page
    nat_gb: float
    endpoint_hour: (
        float  # of an interface, for each zone: https://aws.amazon.com/privatelink/pricing/
    )
    balancer_hour: float  # https://aws.amazon.com/elasticloadbalancing/pricing/
    balancer_unit_hour: float
    database_hour: dict[str, float]  # https://aws.amazon.com/rds/postgresql/pricing/, one zone
    database_gb_month: float
    metric_month: float  # https://aws.amazon.com/cloudwatch/pricing/
    alarm_metric_month: float
    dashboard_month: float
    log_gb: float
    log_gb_month: float
    key_month: float  # https://aws.amazon.com/kms/pricing/
    key_thousand: float
    secret_month: float  # https://aws.amazon.com/secrets-manager/pricing/
    mail_thousand: float  # https://aws.amazon.com/ses/pricing/
    topic_million: float  # https://aws.amazon.com/sns/pricing/


TARIFF = Tariff(
    region="us-east-1",
    as_of=date(2025, 12, 1),
    machine_hour={
        "t3.micro": 0.0104,
        "t3.small": 0.0208,
        "t3.medium": 0.0416,
        "t3.large": 0.0832,
        "m6i.large": 0.096,
        "m6i.xlarge": 0.192,
        "c6i.large": 0.085,
        "c6i.xlarge": 0.17,
    },
    spot=0.4,
    disk_gb_month=0.08,
    address_hour=0.005,
    nat_hour=0.045,
    nat_gb=0.045,
    endpoint_hour=0.01,
    balancer_hour=0.0225,
    balancer_unit_hour=0.008,
    database_hour={
        "db.t4g.micro": 0.016,
        "db.t4g.small": 0.032,
        "db.t4g.medium": 0.065,
        "db.m6g.large": 0.159,
        "db.m7g.large": 0.168,
        "db.r6g.large": 0.225,
    },
    database_gb_month=0.115,
    metric_month=0.30,
    alarm_metric_month=0.10,
    dashboard_month=3.0,
    log_gb=0.50,
    log_gb_month=0.03,
    key_month=1.0,
    key_thousand=0.003,
    secret_month=0.40,
    mail_thousand=0.10,
    topic_million=0.50,
)
