"""Files of articles: Markdown, CSV, JSONL and HTML, read into articles and written from them.

`bot.kbfiles.reading` and `bot.kbfiles.writing` are the doors, used by `bot.kb` and `bot.cli_kb_run`; each
format has a module with `read(text, file, defaults)` and `write(…)`. Nothing in a file makes a reader
raise, open a connection, or look outside its folder.
"""
