"""What staff can ask of an upload."""

from gas.commits import after_commit
from gas.models import AccountEvent, Upload, User
from gas.services.staff.acts import STAFF, ActRefused
from gas.storage import removal, result_sets


def remove(upload: Upload, *, actor: User, reason: str) -> str:
    """Remove a file that no job uses, and its bytes."""
    key = upload.key
    removal.remove_unused(upload.pk)
    if Upload.objects.filter(pk=upload.pk).exists():
        job = upload.jobs.order_by("-pk").first()
        raise ActRefused(f"Job {job.pk if job else ''} uses it; delete that to remove it.")
    AccountEvent.objects.create(
        account_id=upload.owner_id, actor=STAFF, what=f"removed upload {upload.pk}: {reason}"
    )
    after_commit(result_sets.destroy_input, key)
    return "It is removed with its bytes."
