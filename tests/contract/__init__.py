"""How real: our storage code over HTTP against local stand-ins for S3, SQS, SES and Glacier."""
