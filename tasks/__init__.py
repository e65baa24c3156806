"""The pipeline: one verb per module, where module, task and queue bear the same name."""

from tasks.app import app

__all__ = ["app"]
