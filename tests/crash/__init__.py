"""`deskbell serve` as a real process, killed under load: what Slack was acknowledged for, and what came of it.

`make crash` runs it (`__main__`); `test_crash.py` and `test_stopping.py` are short runs for every day.
"""
