"""Why a table of results cannot answer; each message is one sentence for its owner."""


class ResultsRefused(Exception):
    """The question cannot be answered as it was asked."""


class TooSlow(ResultsRefused):
    """The answer would take longer than a request may."""

    def __init__(self) -> None:
        super().__init__(
            "Looking through this table took too long, so we stopped; "
            "a narrower filter, above all a region, makes it quick."
        )


class TooWide(ResultsRefused):
    """Some part of the table does not fit into the memory that a request may take."""

    def __init__(self) -> None:
        super().__init__(
            "The cells of this table are too long to be looked through here; "
            "please download the whole file."
        )


class Unreadable(ResultsRefused):
    """The bytes are no table of results."""

    def __init__(self) -> None:
        super().__init__("The table of this job cannot be read; its other files are not affected.")


class Busy(ResultsRefused):
    """As many questions as this process can answer at once are being answered."""

    def __init__(self) -> None:
        super().__init__("Many people are looking through results just now; try again in a minute.")


class NoSuchRow(ResultsRefused):
    """The table does not have the row behind which a page is to begin."""

    def __init__(self) -> None:
        super().__init__("The address begins behind a row that this table does not have.")
