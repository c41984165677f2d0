"""Sentence encoders: implementations of `triage.matching.Encoder`. `bot.encoders` chooses one."""
