"""The core: pure, synchronous decisions over frozen values. Imports nothing of ours and no SDK."""
