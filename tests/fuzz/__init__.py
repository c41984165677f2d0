"""Coverage-guided fuzzing of what comes from outside: files of articles, and what people write. See `__main__`."""
