"""`deskbell serve` as real processes on a real database, to be killed, multiplied and loaded.

Used by `tests.crash`, `tests.replicas` and `tests.load`; tests of one client use `tests.conformance.desk`.
"""
