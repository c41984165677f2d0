"""Each outside world's only home: one package a platform, none of which knows the others."""
