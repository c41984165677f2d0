"""The web chat's own log on SQL: what Slack and Teams keep for the other adapters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, or_, select, update

from storage.codec import build, build_all, values
from storage.engine import insert_new, reading, writing
from storage.rows import web_posts
from triage.document import Document
from triage.transcripts import WebPost


class SqlTranscript:
    """Implements `triage.ports.Transcript`; each call is its own short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, post: WebPost) -> WebPost:
        with writing(self._engine) as db:
            fresh = insert_new(db, web_posts, values(post) | {"channel": post.thread.channel.key}, "key")
            db.commit()
        return post if fresh or post.key is None else self.find(post.key) or post

    def replace(self, id: str, document: Document) -> bool:
        with writing(self._engine) as db:
            row = update(web_posts).where(web_posts.c.id == id).values(document=document, edited=True)
            found = db.execute(row).rowcount == 1
            db.commit()
        return found

    def find(self, key: str) -> WebPost | None:
        with reading(self._engine) as db:
            row = db.execute(select(web_posts).where(web_posts.c.key == key)).first()
        return None if row is None else build(WebPost, row)

    def read(self, channels: Sequence[str], user: str, limit: int) -> Sequence[WebPost]:
        visible: Any = or_(web_posts.c.only_for.is_(None), web_posts.c.only_for == user)
        newest = select(web_posts).where(web_posts.c.channel.in_(channels), visible)
        with reading(self._engine) as db:
            rows = db.execute(newest.order_by(web_posts.c.number.desc()).limit(limit)).all()
        return build_all(WebPost, rows)[::-1]
