"""What lies in storage: the inputs that users upload and the results that jobs write."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Upload(models.Model):
    """One input file; the row comes first and names the key, the bytes come later."""

    class Status(models.TextChoices):
        PENDING = "pending"  # the user may send the bytes
        COMPLETE = "complete"  # looked at by the server, used by a job
        REFUSED = "refused"  # not a VCF, or too large; the bytes are gone

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    filename = models.CharField(
        max_length=200, help_text="As the user called it; shown, never used."
    )
    size = models.BigIntegerField(null=True, blank=True, help_text="Bytes.")
    etag = models.CharField(max_length=100, blank=True, help_text="S3's name for these bytes.")
    assembly = models.CharField(
        max_length=40, blank=True, help_text="As the lengths of its contigs say, if they do."
    )
    refusal = models.TextField(blank=True)
    give_up_at = models.DateTimeField(
        null=True, blank=True, help_text="When it goes unless it is submitted or parts arrive."
    )

    #: Of an upload in parts, which goes on after a break where it was.
    announced = models.BigIntegerField(null=True, blank=True, help_text="Bytes that will come.")
    part_bytes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of all but the last."
    )
    parts_id = models.TextField(
        blank=True, help_text="S3's name for the parts, until they are one."
    )
    first_bytes = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of its start, by which it is known again."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the bytes of an ended job were given up."
    )

    class Meta:
        indexes = [
            models.Index(fields=["-created_at"], name="upload_by_date"),
            models.Index(fields=["owner", "-created_at"], name="upload_of_owner"),
            models.Index(fields=["status", "-created_at"], name="upload_in_state"),
            models.Index(
                fields=["give_up_at"], condition=~Q(give_up_at=None), name="upload_to_give_up"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(parts_id="")
                | Q(announced__isnull=False, part_bytes__isnull=False)
                & Q(announced__gt=0, part_bytes__gt=0),
                name="parts_were_announced",
            ),
            models.CheckConstraint(
                condition=~Q(status="complete") | Q(size__isnull=False),
                name="complete_upload_has_a_size",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | ~Q(refusal=""),
                name="refused_upload_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def key(self) -> str:
        """The key of the input object, made by us from ids alone."""
        return f"inputs/{self.owner_id}/{self.id}/input.vcf"

    @property
    def part_sizes(self) -> list[int]:
        """Bytes of each part, in order; none when it does not come in parts."""
        if not self.announced or not self.part_bytes:
            return []
        whole, rest = divmod(self.announced, self.part_bytes)
        return whole * [self.part_bytes] + ([rest] if rest else [])

    def refuse(self, sentence: str) -> None:
        """Record why this file is no good."""
        self.status, self.refusal, self.give_up_at = self.Status.REFUSED, sentence, None
        Upload.objects.filter(pk=self.pk).update(
            status=self.status, refusal=self.refusal, give_up_at=None
        )


class ResultFile(models.Model):
    """One file of a job's result set, with the receipts of its copies."""

    class Kind(models.TextChoices):
        VCF = "vcf"
        INDEX = "index"
        TSV = "tsv"
        PARQUET = "parquet"
        SKIPPED = "skipped"
        SUMMARY = "summary"
        LOG = "log"
        PROVENANCE = "provenance"

    #: What moves to the archive; the small files that the job page reads stay at hand.
    ARCHIVED_KINDS = (Kind.VCF, Kind.INDEX, Kind.TSV, Kind.PARQUET)

    #: The name of each kind in storage, which is the name the annotator gives it.
    NAMES = {
        Kind.VCF: "annotated.vcf.gz",
        Kind.INDEX: "annotated.vcf.gz.tbi",
        Kind.TSV: "annotated.tsv.gz",
        Kind.PARQUET: "annotated.parquet",
        Kind.SKIPPED: "skipped.tsv",
        Kind.SUMMARY: "summary.json",
        Kind.LOG: "annotation.log",
        Kind.PROVENANCE: "provenance.json",
    }

    job = models.ForeignKey("gas.Job", on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=300)
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64, help_text="Hexadecimal SHA-256 of the whole file.")
    archive_id = models.TextField(blank=True, help_text="Receipt of the archived copy.")
    retrieval_id = models.TextField(blank=True, help_text="The retrieval under way.")
    retrieval_tier = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "kind"], name="one_file_of_a_kind"),
            models.CheckConstraint(
                condition=Q(retrieval_id="") | ~Q(archive_id=""),
                name="retrieval_needs_an_archived_copy",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def name(self) -> str:
        """The file's name in storage, without the folder of its attempt."""
        return self.NAMES[self.Kind(self.kind)]


class DiscardQuerySet(models.QuerySet["Discard"]):
    """Discards, in the order in which they are carried out."""

    def due(self) -> "DiscardQuerySet":
        """Discards to carry out now; what storage refused comes after what it was not asked yet."""
        return self.filter(try_at__lte=Now()).order_by("try_at", "pk")


class Discard(models.Model):
    """Bytes to destroy: written in the transaction that makes them needless, gone once they are.

    Keys are never used twice, so that destroying late or again harms nothing.
    """

    class Kind(models.TextChoices):
        OBJECT = "object"  # an S3 object, `place` is its location
        PREFIX = "prefix"  # every S3 object whose location starts with `place`
        ARCHIVE = "archive"  # an archived copy, `place` is its receipt
        PARTS = "parts"  # of an upload that never ended: `place` is its location, a space, its id
        TOMBSTONE = "tombstone"  # not destroyed but written: `place` tells of what was deleted

    #: The number stays when the job is deleted: its bytes are still to be destroyed.
    job = models.ForeignKey(
        "gas.Job",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="discards",
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    place = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    try_at = models.DateTimeField(db_default=Now(), help_text="Not before this.")
    tries = models.PositiveIntegerField(default=0, help_text="Times that storage refused.")

    objects = DiscardQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["try_at"], name="discard_next")]

    def __str__(self) -> str:
        return f"{self.kind} {self.place}"

    def put_off(self, wait: timedelta) -> None:
        """Try again after `wait`, when others have had their turn."""
        mine = Discard.objects.filter(pk=self.pk)
        mine.update(tries=F("tries") + 1, try_at=Now() + wait)
