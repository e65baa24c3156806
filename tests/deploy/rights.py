"""What each tier may do and may not: the one table, for the simulator and for real calls alike."""

from dataclasses import dataclass

#: Each line is an `allow` for the tiers that it names, and a `deny` for all others. A place is a
#: bucket with a key, a queue, a secret, or what its name says.
TABLE = """
s3:PutObject                 inputs/uploads/1       web
s3:GetObject                 inputs/uploads/1       web annotate copies
s3:DeleteObject              inputs/uploads/1       web annotate copies short
s3:AbortMultipartUpload      inputs/uploads/1       web annotate copies short
s3:ListMultipartUploadParts  inputs/uploads/1       web
s3:ListBucket                inputs                 web annotate copies
s3:ListBucketMultipartUploads inputs                copies
s3:PutObject                 results/results/1/1/a  annotate copies
s3:GetObject                 results/results/1/1/a  web annotate copies
s3:DeleteObject              results/results/1/1/a  web annotate copies short
s3:AbortMultipartUpload      results/results/1/1/a  annotate copies short
s3:ListBucket                results                web annotate copies deliver short
s3:ListBucketMultipartUploads results               copies
s3:PutObject                 results/deleted/jobs/1 web annotate copies short
s3:GetObject                 results/deleted/jobs/1 nobody
s3:DeleteObject              results/deleted/jobs/1 copies
s3:DeleteObjectVersion       results/deleted/jobs/1 nobody
s3:PutObject                 archive/results/1/1/a  copies
s3:GetObject                 archive/results/1/1/a  copies short
s3:RestoreObject             archive/results/1/1/a  short
s3:DeleteObject              archive/results/1/1/a  web copies short
s3:ListBucket                archive                copies short
s3:ListBucketMultipartUploads archive               copies
s3:DeleteObjectVersion       results/results/1/1/a  nobody
s3:DeleteObjectVersion       archive/results/1/1/a  nobody
s3:PutBucketPolicy           results                nobody
s3:PutLifecycleConfiguration archive                nobody
s3:DeleteBucket              archive                nobody
s3:GetObject                 releases/releases/a    all
s3:GetObject                 releases/bundles/a     all
s3:PutObject                 releases/releases/a    nobody
s3:GetObject                 releases/templates/a   nobody
sqs:SendMessage              annotate               web annotate short
sqs:ReceiveMessage           annotate               annotate
sqs:DeleteMessage            annotate               annotate
sqs:ChangeMessageVisibility  annotate               annotate
sqs:GetQueueAttributes       annotate               web annotate short
sqs:SendMessage              notify                 web annotate copies deliver short
sqs:ReceiveMessage           notify                 short
sqs:DeleteMessage            notify                 short
sqs:SendMessage              archive                web annotate copies short
sqs:ReceiveMessage           archive                copies
sqs:DeleteMessage            archive                copies
sqs:SendMessage              thaw                   web copies short
sqs:ReceiveMessage           thaw                   short
sqs:SendMessage              restore                web copies short
sqs:ReceiveMessage           restore                copies
sqs:SendMessage              deliver                web annotate copies deliver short
sqs:ReceiveMessage           deliver                deliver
sqs:SendMessage              sweep                  web beat short
sqs:ReceiveMessage           sweep                  short
sqs:SendMessage              reconcile              web beat copies short
sqs:ReceiveMessage           reconcile              copies
sqs:ReceiveMessage           thawed                 short
sqs:DeleteMessage            thawed                 short
sqs:ReceiveMessage           annotate-dead          web short
sqs:DeleteMessage            annotate-dead          web short
sqs:ChangeMessageVisibility  annotate-dead          web short
sqs:PurgeQueue               annotate               nobody
sqs:DeleteQueue              annotate               nobody
sqs:SetQueueAttributes       annotate               nobody
sqs:SendMessage              of-somebody-else       nobody
sns:Publish                  job-events             short
secretsmanager:GetSecretValue settings              web beat copies deliver short
secretsmanager:GetSecretValue site                  web
secretsmanager:GetSecretValue provenance            annotate
secretsmanager:GetSecretValue database              all
secretsmanager:PutSecretValue settings              nobody
secretsmanager:PutSecretValue site                  nobody
secretsmanager:GetSecretValue of-somebody-else      nobody
logs:PutLogEvents            log                    all
logs:DeleteLogGroup          log                    nobody
autoscaling:CompleteLifecycleAction group           all
autoscaling:SetDesiredCapacity group                nobody
cloudformation:SignalResource stack                 all
cloudformation:UpdateStack   stack                  nobody
kms:ScheduleKeyDeletion      key                    nobody
kms:PutKeyPolicy             key                    nobody
rds:DeleteDBInstance         everything             nobody
iam:CreateUser               everything             nobody
iam:PassRole                 everything             nobody
sts:AssumeRole               everything             nobody
ec2:RunInstances             everything             nobody
"""

TIERS = ("web", "beat", "annotate", "copies", "deliver", "short")


@dataclass(frozen=True)
class Right:
    """One thing that one tier may do, or may not."""

    tier: str
    action: str
    place: str
    allowed: bool

    def __str__(self) -> str:
        may = "may" if self.allowed else "may not"
        return f"{self.tier} {may} {self.action} {self.place}"


def rights() -> list[Right]:
    """A row for each tier of each line of the table."""
    found = []
    for line in TABLE.strip().splitlines():
        action, place, *tiers = line.split()
        allowed = set(TIERS) if tiers == ["all"] else set(tiers) - {"nobody"}
        assert allowed <= set(TIERS), line
        found += [Right(tier, action, place, tier in allowed) for tier in TIERS]
    return found


def arn(right: Right, service: str, account: str, region: str, kept: dict[str, str]) -> str:
    """The ARN of a place in the table, for a stack of this name; `kept` has those made by AWS."""
    here = f"{region}:{account}"
    bucket, _, key = right.place.partition("/")
    if right.action.startswith("s3:") and bucket != "releases":
        return f"arn:aws:s3:::{service}-{bucket}-{account}-{region}" + (f"/{key}" if key else "")
    match bucket:
        case "releases":
            return f"arn:aws:s3:::gas-releases/{key}"
        case "log":
            return f"arn:aws:logs:{here}:log-group:/{service}:log-stream:i-1/web"
        case "group":
            return (
                f"arn:aws:autoscaling:{here}:autoScalingGroup:1:"
                f"autoScalingGroupName/{service}-annotate"
            )
        case "stack":
            return f"arn:aws:cloudformation:{here}:stack/{service}-Web-1/1"
        case "job-events":
            return f"arn:aws:sns:{here}:{service}-job-events"
        case "everything":
            return "*"
    if bucket == "of-somebody-else":
        return f"arn:aws:sqs:{here}:somebody-{service}"
    return kept.get(bucket, f"arn:aws:sqs:{here}:{service}-{bucket}")
