"""What staff can ask of accounts, jobs and files; every act is written down with who and why."""
