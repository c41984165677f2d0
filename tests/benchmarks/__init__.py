"""Deskbell's matching beside what else could be used, on the same questions in the same run: `make bench`."""
