"""Deskbell measured: its matching beside what else could be used, and its clocks and pings. `make bench`."""
