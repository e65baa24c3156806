"""A stand-in for Globus Auth on this machine, for trying the site out and for its tests."""

from dev.fake_globus.personas import CLIENT_ID, CLIENT_SECRET, PERSONAS, Persona
from dev.fake_globus.server import FakeGlobus, start

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "PERSONAS", "FakeGlobus", "Persona", "start"]
