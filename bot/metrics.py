"""Prometheus metrics; no names, texts or ids of people in them. Served at /metrics by `bot.web`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

TURNS = Counter("deskbell_turns_total", "Turns by outcome", ["outcome"])
TURN_SECONDS = Histogram("deskbell_turn_seconds", "Time from hand-over to commit")
DELIVERIES = Counter("deskbell_deliveries_total", "Outbox rows by outcome", ["platform", "outcome"])
DELIVERY_SECONDS = Histogram(
    "deskbell_delivery_seconds", "Time from commit to delivered", buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300)
)
PENDING = Gauge("deskbell_outbox_pending", "Outbox rows that wait")
TICKETS = Gauge("deskbell_tickets", "Tickets by status", ["status"])
LATE = Gauge("deskbell_late", "Pings and escalation steps whose time passed without their being done")
PINGS = Counter("deskbell_pings_total", "Clock stages rung")
