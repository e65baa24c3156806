"""The variables of storage and of the pipeline."""

from gas.variables.declaring import Kind, Section, Variable

AWS = Section(
    "AWS",
    (
        Variable(
            "AWS_DEFAULT_REGION",
            Kind.TEXT,
            "as of every AWS program, read by botocore itself",
            default="us-east-1",
        ),
        Variable(
            "AWS_ENDPOINT_URL",
            Kind.URL,
            "as of every AWS program, read by botocore itself; another address of AWS, such as "
            "that of the local one",
            shown="AWS's own",
        ),
        Variable(
            "AWS_ENDPOINT_URL_S3",
            Kind.URL,
            "as of every AWS program, read by botocore itself; the same for S3 alone",
            shown="AWS's own",
        ),
        Variable(
            "AWS_ACCESS_KEY_ID",
            Kind.TEXT,
            "credentials, as of every AWS program, read by botocore itself",
            shown="the role of the machine",
        ),
        Variable(
            "AWS_SECRET_ACCESS_KEY",
            Kind.TEXT,
            "the same",
            shown="the role of the machine",
            secret=True,
        ),
        Variable(
            "AWS_SESSION_TOKEN",
            Kind.TEXT,
            "the same",
            shown="the role of the machine",
            secret=True,
        ),
        Variable(
            "GAS_SECRETS",
            Kind.LIST,
            "names or ARNs, comma-separated, of secrets in Secrets Manager, each a JSON object of "
            "secret variables of this table: read on a machine when a process starts; of a path it "
            "holds the text of the file, and of two values the last one counts",
            shown="unset: they are in the environment",
        ),
        Variable(
            "GAS_DATABASE_SECRET",
            Kind.TEXT,
            "name or ARN of the secret with `username` and `password` of the database, read every "
            "minute; `DATABASE_URL` then has neither, but `?service=gas`",
            shown="unset: `DATABASE_URL` has them",
        ),
        Variable(
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            Kind.URL,
            "as of every AWS program: where a machine on EC2 asks about itself",
            shown="`http://169.254.169.254`",
        ),
        Variable(
            "GAS_AWS_ACCOUNT",
            Kind.TEXT,
            "the account that owns the queues",
            default="000000000000",
            required=True,
        ),
        Variable("GAS_QUEUE_PREFIX", Kind.TEXT, "before the name of each queue", default="gas-"),
        Variable("GAS_BUCKET_INPUTS", Kind.TEXT, "the bucket of uploads", default="gas-inputs"),
        Variable("GAS_BUCKET_RESULTS", Kind.TEXT, "the bucket of results", default="gas-results"),
        Variable(
            "GAS_BUCKET_ARCHIVE", Kind.TEXT, "the bucket of the archive", default="gas-archive"
        ),
        Variable(
            "GAS_S3_ADDRESSING",
            Kind.WORD,
            "`path` or `virtual` where it must be one",
            default="auto",
        ),
        Variable(
            "GAS_PART_MIB",
            Kind.NUMBER,
            "MiB of each part that a browser sends, 5 to 1024; larger for files of more than "
            "10,000 parts",
            default="16",
        ),
        Variable(
            "GAS_UPLOADS_KEPT",
            Kind.TIME,
            "how long an upload that broke off, or was not submitted, stays after its last part",
            default="1d",
        ),
        Variable(
            "GAS_ARCHIVE",
            Kind.TEXT,
            "or `gas.storage.glacier_vault.GlacierVaultArchive`",
            default="gas.storage.s3_glacier.S3GlacierArchive",
        ),
        Variable("GAS_GLACIER_VAULT", Kind.TEXT, "the vault of the latter", default="gas-archive"),
    ),
)

PIPELINE = Section(
    "Pipeline",
    (
        Variable(
            "GAS_FREE_RETENTION",
            Kind.TIME,
            "how long results of free accounts stay at hand",
            default="5m",
        ),
        Variable(
            "GAS_DOWNGRADE_GRACE",
            Kind.TIME,
            "how long they stay after a subscription has ended",
            default="7d",
        ),
        Variable(
            "GAS_REMIND_BEFORE",
            Kind.TIME,
            "how long before results move to the archive their owner is told; results that stay "
            "no longer than this are told of in the mail of the finished job alone",
            default="1d",
        ),
        Variable("GAS_THAW_POLL", Kind.TIME, "between two questions to the archive", default="10m"),
        Variable(
            "GAS_MOST_THAWS",
            Kind.NUMBER,
            "jobs that one subscriber may have on their way out of the archive at once",
            default="1000",
        ),
        Variable(
            "GAS_LEASE",
            Kind.TIME,
            "how long a worker owns a job without a sign of life",
            default="120s",
        ),
        Variable(
            "GAS_RETRY_AFTER",
            Kind.TIME,
            "until a step is tried again after a fault that passes",
            default="30s",
        ),
        Variable(
            "GAS_RESEND_AFTER",
            Kind.TIME,
            "how long a due step waits before the sweeper sends its message again",
            default="5m",
        ),
        Variable("GAS_SWEEP_EVERY", Kind.TIME, "between two sweeps", default="60s"),
        Variable(
            "GAS_INPUTS_KEPT",
            Kind.TIME,
            "how long the input of a failed or cancelled job stays, to run it again",
            default="30d",
        ),
        Variable(
            "GAS_BACKUPS_KEPT",
            Kind.TIME,
            "how far back the database may be put; so long storage remembers what was deleted, "
            "so that it does not come back",
            default="35d",
        ),
        Variable(
            "GAS_LONG_POLL",
            Kind.TIME,
            "how long a worker waits at an empty queue; less than the `20s` that SQS allows",
            default="15s",
        ),
        Variable(
            "GAS_WORKER_PORT",
            Kind.NUMBER,
            "the loopback port where a worker answers `/healthz` and `/readyz`",
            default="0",
            shown="`0`: none",
        ),
        Variable(
            "GAS_RUN_FOLDER",
            Kind.PATH,
            "a folder of this machine alone, where its workers say that they live; "
            "`manage.py drain` finds them there",
            shown="unset: they say it nowhere",
        ),
        Variable(
            "GAS_DRAIN_HOOK",
            Kind.TEXT,
            "the lifecycle hook of the group of machines that `manage.py drain` completes",
            default="drain",
        ),
        Variable(
            "GAS_EVENTS_TOPIC",
            Kind.TEXT,
            "the ARN of a topic of SNS that tells other systems of jobs",
            shown="unset: none is told",
        ),
        Variable("GAS_ANNOTATE_LIMIT", Kind.TIME, "longest time of one annotation", default="6h"),
        Variable(
            "GAS_STALL_LIMIT",
            Kind.TIME,
            "how long an annotation may make no progress before it is stopped and tried again",
            default="30m",
        ),
        Variable(
            "GAS_ANNOTATE_WORKERS",
            Kind.NUMBER,
            "1 to 64 processes of one annotation, beside the one that reads the file; the results "
            "are the same bytes with any number. One is best where jobs wait for each other: two "
            "jobs side by side end sooner than one after the other. More is for machines with "
            "cores to spare and large files",
            default="1",
        ),
        Variable(
            "GAS_ANNOTATE_MEMORY_MB",
            Kind.NUMBER,
            "address space of the annotating process",
            default="1024",
        ),
        Variable(
            "GAS_SANDBOX",
            Kind.WORD,
            "what to do where the kernel cannot close files and network to the annotating "
            "process: `required` refuses to work, `preferred` works and says so, `off` does not "
            "try; limits always stand",
            shown="`preferred`, in production `required`",
        ),
        Variable(
            "GAS_PROVENANCE_KEY",
            Kind.PATH,
            "the PEM of the Ed25519 key that signs each `provenance.json`; made by `openssl "
            "genpkey -algorithm ed25519`, its public half by `openssl pkey -pubout`",
            shown="unset: not signed",
        ),
        Variable(
            "GAS_PROVENANCE_PUBLIC_KEY",
            Kind.PATH,
            "the PEM of that public half, which the site gives to everybody at "
            "`/provenance-key.pem`",
            shown="unset: none is served",
        ),
        Variable(
            "GAS_BUNDLE",
            Kind.PATH,
            "the reference bundle",
            default="annotator/bundles/demo-grch38",
        ),
    ),
)
