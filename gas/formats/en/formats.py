"""How staff read times: to the second, by 24 hours, as in the log."""

DATETIME_FORMAT = "j M Y, H:i:s"
TIME_FORMAT = "H:i:s"
