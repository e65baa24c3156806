"""`make chaos JOBS=n SEED=n`: many jobs of several people while everything fails around them.

What is done, to whom and after how many jobs is chosen by the seed. Afterwards all is checked from
outside: the database, S3, the queues and the mails.
"""
