"""The version, which the service is told with each request."""

__version__ = "0.1.0"
