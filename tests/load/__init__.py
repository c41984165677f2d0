"""How many turns a desk takes, and what they cost: `python -m tests.load` (`make load`).

Real processes on a real database, signed Slack events over HTTP at rising rates, and a Slack that answers.
Generator and Slack share the machine with what they measure, so both speak HTTP through one small parser.
"""
