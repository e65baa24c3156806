"""Stand-ins for our own seams: storage, archive, annotator, mails and the queues, all in memory."""
