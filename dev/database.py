"""The service's database as somebody reads it who has none of the service's code."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import psycopg


@dataclass(frozen=True)
class Database:
    """A database by its address, in the form of `DATABASE_URL`."""

    url: str

    #: What a query raises while the database is away.
    faults: ClassVar = (psycopg.Error, sqlite3.Error)

    @property
    def is_postgresql(self) -> bool:
        """Whether it is a server."""
        return self.url.startswith("postgresql")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds, which must read alike on SQLite and PostgreSQL."""
        if self.is_postgresql:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
                return list(connection.execute(query.encode()))
        with closing(sqlite3.connect(urlsplit(self.url).path[1:], timeout=20)) as file:
            return list(file.execute(query))

    def change(self, statement: str) -> None:
        """Change a setting that staff would change."""
        if self.is_postgresql:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(statement.encode())
            return
        with closing(sqlite3.connect(urlsplit(self.url).path[1:], timeout=20)) as file:
            file.execute(statement)
            file.commit()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Write to an SQLite for the length of the block, which nobody else can then."""
        with closing(sqlite3.connect(urlsplit(self.url).path[1:], timeout=20)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
            file.rollback()

    def number(self, query: str) -> int:
        """Return the one number that a query finds."""
        [(found,)] = self.rows(query)
        return int(found)

    @staticmethod
    def seconds_between(first: Any, last: Any) -> float:
        """The time between two moments, which SQLite keeps as text."""
        moments = [
            moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
            for moment in (first, last)
        ]
        return (moments[1] - moments[0]).total_seconds()
