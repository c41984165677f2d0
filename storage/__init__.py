"""Where the desk keeps what it knows: `SqlStorage` over SQLite or PostgreSQL, and `MemoryStorage`.

Both implement `triage.ports.Storage` and `Transcript` and pass one contract suite. Nothing else
in the program knows SQL, and no row class leaves this package.
"""
