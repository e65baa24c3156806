"""The REST API, /api/v1: the verbs of gas.services for programs."""
