"""The local AWS: S3, SQS and SES on this machine alone, in place of an account at Amazon."""

from dev.local_aws.server import LocalAws, Mail, QueuedMessage, mails_at, messages_at, start

__all__ = ["LocalAws", "Mail", "QueuedMessage", "mails_at", "messages_at", "start"]
