"""Emptying a machine that its group or EC2 takes away: `manage.py drain`."""
