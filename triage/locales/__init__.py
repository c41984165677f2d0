"""The catalogue's texts, one file a part and language."""
