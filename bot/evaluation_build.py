"""The matcher that is evaluated: the product's own, of one tier, and how long it took to build.

Called by `bot.cli_eval_run` and by the benchmarks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bot.settings import SettingsError
from triage.knowledge import Article, KnowledgeBase
from triage.match import build_matcher
from triage.matching import Encoder, EncoderFailed, Labelled, Matcher
from triage.phrases import noted


def encoder_for(tier: str) -> Encoder | None:
    """The sentence encoder of a tier, loaded; None for the lexical one.

    Raises SettingsError, which says how to install it, when it is not there.
    """
    if tier == "lexical":
        return None
    try:
        from adapters.encoders.bundled import BundledEncoder

        encoder: Encoder = BundledEncoder()
        encoder.encode(["warm"])
    except (ImportError, EncoderFailed) as error:
        told = "The semantic tier is not installed: in the checkout of Deskbell run pip install '.[semantic]'"
        raise SettingsError((f"{told} ({error}).",)) from None
    return encoder


def build(
    articles: Sequence[Article],
    *,
    precision: float,
    encoder: Encoder | None = None,
    labelled: Sequence[Labelled] = (),
    further: Mapping[str, Any] | None = None,
) -> tuple[Matcher, float]:
    """The matcher, and the seconds that one thread took to build it; `further` options are for ablations."""
    options = dict(further or {})
    if encoder is not None:
        options["encoder"] = encoder
    if labelled:
        options["labelled"] = labelled
    with threadpool_limits(1):
        started = perf_counter()
        matcher = build_matcher(KnowledgeBase.of(articles), precision=precision, say=noted, **options)
        return matcher, perf_counter() - started
