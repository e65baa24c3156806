"""Where files lie: inputs and results in S3, old results in an archive."""
