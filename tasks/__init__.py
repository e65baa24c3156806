"""The pipeline: one verb per module, where module, task and queue bear the same name."""

from tasks import trail
from tasks.app import app

__all__ = ["app", "trail"]
