"""The routes of the API, each a call of one service."""
