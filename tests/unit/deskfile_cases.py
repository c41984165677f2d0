"""What can be wrong in a desk.yaml: texts, and the sentence each must bring, one a line.

Beside them a sound one that says everything, and how a test reads it. Used by `tests.unit.test_deskfile`
and `tests.unit.test_deskfile_promises`.
"""

# ruff: noqa: E501 - a case is easier to read on one line

from __future__ import annotations

from pathlib import Path

from bot import deskfile
from bot.yamlfile import Problem
from triage.policy import Policy

DESK = """\
kb: kb/
places: {slack: [T1, T2], teams: [tenant-guid]}
people:
  lee: {name: Lee, slack: U1, teams: aad-1, email: lee@example.com, admin: true}
  kim: {name: Kim, slack: U2, web: kim, language: zh-TW, quiet: ["20:00-08:00"]}
  sato: {name: Sato, quiet: {hours: {mon-fri: ["19:00-09:00"], sat: ["09:00-24:00"]}, timezone: Asia/Tokyo}}
answers: {precision: 0.9}
pings: {per_hour: 4}
teams:
  it:
    name: IT
    agents: [lee, kim]
    lead: lee
    language: ko
    restricted: true
    allow_guests: true
    calendar:
      timezone: Asia/Seoul
      hours:
        mon-thu: ["09:00-12:30", "13:30-18:00"]
        fri: ["22:00-06:00"]
        sun: ["00:00-24:00"]
      holidays: [2026-12-25, KR, GB-ENG, NO]
    sla:
      high: {first_response: 1h, next_reply: 1h, resolution: 1d2h30m15s, hours: calendar,
             pause_on_hold: true, reopen: first_only}
    warn: ["50%", "-30m"]
    overdue: 1h
    escalation:
      ack: 30m
      steps:
        - {notify: owner}
        - {wait: 10m}
        - {raise: high}
        - {reassign: on-call}
        - {reassign: kim}
        - {notify: kim}
        - {notify: "channel:C3"}
        - {wait: 1h}
        - {repeat: 2}
    oncall:
      people: [kim, lee]
      start: 2026-01-06
      at: "08:30"
      overrides:
        - {person: lee, from: "2026-12-24T09:00", until: "2026-12-27T09:00+00:00"}
    policies:
      - name: payroll day
        when: {words: [PAYslip, salary], requesters: [sato], guests: true, channels: [T2/C2, "web:it-help"],
               languages: [ko, zh-TW]}
        priority: high
        sla: {high: {first_response: 15m, hours: calendar}, normal: {first_response: 1h}}
        calendar: {timezone: Asia/Taipei, hours: {mon: ["09:00-17:00"]}}
        warn: []
        overdue: 30m
        escalation: {steps: [{notify: team}]}
      - name: others
        when: {guests: false}
        sla: {normal: {first_response: 1h}, high: {first_response: 30m}}
    teams: {help: ["19:help@thread.tacv2"], triage: "19:triage@thread.tacv2"}
    slack: {help: [C1, T2/C2], triage: C3}
    web: {help: [it-help]}
"""


def read(tmp_path: Path, text: str) -> tuple[deskfile.Desk | None, list[Problem]]:
    file = tmp_path / "desk.yaml"
    file.write_text(text, encoding="utf-8")
    return deskfile.read(file)


def policy_of(tmp_path: Path, text: str) -> Policy:
    desk, problems = read(tmp_path, text)
    assert desk is not None, problems
    return desk.policy


def team(body: str, people: str = "{lee: {}}") -> str:
    """A small desk, whose team's entries stand from line 5 on."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"places: {{slack: [T1]}}\npeople: {people}\nteams:\n  it:\n{lines}"


CALENDAR = "agents: [lee]\ncalendar:\n  timezone: {zone}\n  hours: {{{hours}}}\n  holidays: [{days}]"


def calendar(zone: str = "Europe/London", hours: str = 'mon: ["09:00-17:00"]', days: str = "") -> str:
    return team(CALENDAR.format(zone=zone, hours=hours, days=days))


ERRORS = [
    ("", "1: is empty; `deskbell init DIR` writes a sample, --config names another file"),
    ("hello", "1: must be a mapping (key: value), not 'hello'"),
    ("kb: x\n", "1: teams: is missing"),
    ("kb: [x]\nteams: {it: {agents: [a]}}\npeople: {a: {}}", "1: kb: must be a mapping (key: value), not a list"),
    ("kb: {pull: 15m}\nteams: {it: {agents: [a]}}\npeople: {a: {}}", "1: kb.folder: is missing"),
    ("kb:\n  folder: x\n  pull: 15 min\nteams: {it: {agents: [a]}}\npeople: {a: {}}", "3: kb.pull: '15 min' is not a duration: write it like 30m, 4h or 1d2h30m15s (d = 24 h)"),
    ("kb:\n  folder: x\n  pul: 15m\nteams: {it: {agents: [a]}}\npeople: {a: {}}", "3: kb: unknown key 'pul': did you mean 'pull'?"),
    ("teams: {}\n", "1: teams: needs at least one entry"),
    ("kb: x\nkb: y\nteams: {it: {agents: [a]}}\npeople: {a: {}}", "2: the key 'kb' is here twice (first on line 1); keep one"),
    ("kb: [\n", "2: not valid YAML: while parsing a flow node, expected the node content, but found '<stream end>'"),
    ("kb: a\n\tteams: b", "2: not valid YAML: while scanning for the next token, found character '\\t' that cannot start any token; indent with spaces, not tabs"),
    (team("agnts: [lee]"), "5: teams.it: unknown key 'agnts': did you mean 'agents'?"),
    (team("x: 1"), "5: teams.it: unknown key 'x': allowed: name, agents, lead, language, restricted, allow_guests, calendar, sla, warn, overdue, escalation, oncall, policies, slack, teams, web"),
    (team("agents: lee"), "5: teams.it.agents: must be a list such as [a, b], not 'lee'"),
    (team("agents: [lee, lea]"), "5: teams.it.agents: 'lea' is not a key under people: did you mean 'lee'?"),
    (team("agents:\n  - lee\n  - zoe"), "7: teams.it.agents: 'zoe' is not a key under people: allowed: lee"),
    (team("agents: [lee]\nlead: kim"), "6: teams.it.lead: 'kim' is not a key under people: allowed: lee"),
    (team("agents: [lee]\nlanguage: fr"), "6: teams.it.language: must be 'en', 'ko' or 'zh-Hant', not 'fr'"),
    (team("agents: [lee]\nrestricted: maybe"), "6: teams.it.restricted: must be true or false, not 'maybe'"),
    (team("agents: [lee]\nname: [a]"), "6: teams.it.name: must be text, not a list"),
    ("answers: {precision: 2}\n" + team("agents: [lee]"), "1: answers.precision: must be 1.0 or less, not '2'"),
    ("answers: {precision: high}\n" + team("agents: [lee]"), "1: answers.precision: must be a number, not 'high'"),
    (team("agents: [lee]", "{lee: {email: lee}}"), "2: people.lee.email: 'lee' is not an e-mail address: write it like lee@example.com"),
    (team("agents: []", '{"l e": {}}'), "2: people.l e: 'l e' cannot be a key: no spaces and none of : / @ ,"),
    (calendar(zone="Europe/Londn"), "7: teams.it.calendar.timezone: 'Europe/Londn' is not an IANA time zone: did you mean 'Europe/London'?"),
    (calendar(zone="Nowhere"), "7: teams.it.calendar.timezone: 'Nowhere' is not an IANA time zone: write it like Europe/London or Asia/Seoul"),
    (calendar(hours=""), '8: teams.it.calendar.hours: no hours: write at least one line such as mon-fri: ["09:00-17:00"]'),
    (calendar(hours="mon: []"), "8: teams.it.calendar.hours.mon: needs at least one entry"),
    (calendar(hours="monday: [09:00-17:00]"), "8: teams.it.calendar.hours.monday: 'monday' is not a day: write mon, tue, wed, thu, fri, sat, sun, a range such as mon-fri, or a date (2026-12-24)"),
    (calendar(hours='mon: ["9-17"]'), "8: teams.it.calendar.hours.mon: '9-17' is not a window: write it like 09:00-17:00 (overnight 22:00-06:00, to midnight 24:00)"),
    (calendar(hours='mon: ["09:00-25:00"]'), "8: teams.it.calendar.hours.mon: '09:00-25:00' is past midnight: hours go from 00:00 to 24:00, overnight is written 22:00-06:00"),
    (calendar(hours='mon: ["09:00-09:00"]'), "8: teams.it.calendar.hours.mon: '09:00-09:00' is empty: a window closes after it opens; around the clock is 00:00-24:00"),
    (calendar(hours='mon-fri: ["09:00-17:00"], wed: ["16:00-18:00"]'), "8: teams.it.calendar.hours: wed 09:00-17:00 and wed 16:00-18:00 overlap; make it one window or move one"),
    (calendar(hours='sun: ["22:00-06:00"], mon: ["05:00-09:00"]'), "8: teams.it.calendar.hours: sun 22:00-06:00 and mon 05:00-09:00 overlap; make it one window or move one"),
    (calendar(hours='mon: ["00:00-24:00"], sun: ["22:00-24:00", "23:00-23:30"]'), "8: teams.it.calendar.hours: sun 22:00-24:00 and sun 23:00-23:30 overlap; make it one window or move one"),
    (calendar(hours='mon: ["00:00-00:00"]'), "8: teams.it.calendar.hours.mon: '00:00-00:00' is empty: a window closes after it opens; around the clock is 00:00-24:00"),
    (calendar(hours='mon: ["09:00-17:00"], 2026-12-24: []'), "8: teams.it.calendar.hours.2026-12-24: needs at least one entry"),
    (calendar(hours='mon: ["09:00-17:00"], 2026-02-29: ["09:00-13:00"]'), "8: teams.it.calendar.hours.2026-02-29: '2026-02-29' is not a day of the calendar: write dates as year-month-day"),
    (calendar(hours='2026-12-24: ["09:00-13:00"]'), '8: teams.it.calendar.hours: no hours: write at least one line such as mon-fri: ["09:00-17:00"]'),
    (calendar(hours='mon: ["09:00-17:00"], 2026-12-24: ["09:00-13:00", "12:00-14:00"]'), "8: teams.it.calendar.hours: 2026-12-24 09:00-13:00 and 2026-12-24 12:00-14:00 overlap; make it one window or move one"),
    (calendar(hours='wed: ["22:00-06:00"], 2026-12-24: ["05:00-09:00"]'), "8: teams.it.calendar.hours: 2026-12-23 22:00-06:00 and 2026-12-24 05:00-09:00 overlap; make it one window or move one"),
    (calendar(hours='fri: ["05:00-09:00"], 2026-12-24: ["22:00-06:00"]'), "8: teams.it.calendar.hours: 2026-12-24 22:00-06:00 and 2026-12-25 05:00-09:00 overlap; make it one window or move one"),
    (calendar(hours='mon: ["09:00-17:00"], 2026-12-24: ["09:00-13:00"]', days="2026-12-24"), "6: teams.it.calendar: 2026-12-24 stands under hours and under holidays; take it out of one"),
    (calendar(days="XX"), "9: teams.it.calendar.holidays: no public holidays are known for the country 'XX': write the days off as dates"),
    (calendar(days="GB-ENK"), "9: teams.it.calendar.holidays: 'ENK' is not a region of GB: did you mean 'ENG'?"),
    (calendar(days="2026-02-30"), "9: teams.it.calendar.holidays: '2026-02-30' is not a day of the calendar: write dates as year-month-day"),
    (calendar(days="25.12.2026"), "9: teams.it.calendar.holidays: '25.12.2026' is not a holiday: write a date (2026-12-25) or a country code with region (GB-ENG)"),
    (team("agents: [lee]\ncalendar: {timezone: UTC}"), "6: teams.it.calendar.hours: is missing"),
    (team("agents: [lee]\nsla: {hig: {resolution: 1h}}"), "6: teams.it.sla.hig: must be 'low', 'normal', 'high' or 'urgent', not 'hig'"),
    (team("agents: [lee]\nsla: {high: {resolution: -1h}}"), "6: teams.it.sla.high.resolution: '-1h' is not a duration: write it like 30m, 4h or 1d2h30m15s (d = 24 h)"),
    (team("agents: [lee]\nsla: {high: {resolution: 0h}}"), "6: teams.it.sla.high.resolution: '0h' is out of range: a duration is more than 0 and at most 3650d"),
    (team("agents: [lee]\nsla: {high: {resolution: soon}}"), "6: teams.it.sla.high.resolution: 'soon' is not a duration: write it like 30m, 4h or 1d2h30m15s (d = 24 h)"),
    (team("agents: [lee]\nsla: {high: {resolution: [1h]}}"), "6: teams.it.sla.high.resolution: must be a duration such as 30m, 4h or 1d2h30m15s (d = 24 h)"),
    (team("agents: [lee]\nsla: {high: {hours: business}}"), "6: teams.it.sla.high: promises nothing: set at least one of first_response, next_reply, periodic_update, requester_wait, agent_work, resolution, ownership"),
    (team("agents: [lee]\nsla:\n  high: {first_response: 2h, resolution: 1h}"), "7: teams.it.sla.high: first_response is longer than resolution; the first answer comes first"),
    (team("agents: [lee]\nsla: {high: {resolution: 1h, hours: office}}"), "6: teams.it.sla.high.hours: must be 'business' or 'calendar', not 'office'"),
    (team("agents: [lee]\nsla: {high: {resolution: 1h, reopen: never}}"), "6: teams.it.sla.high.reopen: must be 'exclude', 'from_opening' or 'first_only', not 'never'"),
    (calendar(hours='mon: ["09:00-09:01"]') + "    sla: {high: {resolution: 24h}}", "10: teams.it.sla.high.resolution: never comes: ten years of this calendar are too short for it"),
    (team('agents: [lee]\nwarn: ["0%"]'), "6: teams.it.warn: '0%' is not a warning stage: write a share of the target (50%) or a time before due (-30m)"),
    (team('agents: [lee]\nwarn: ["30m"]'), "6: teams.it.warn: '30m' is not a warning stage: write a share of the target (50%) or a time before due (-30m)"),
    (team('agents: [lee]\nwarn: ["-x"]'), "6: teams.it.warn: 'x' is not a duration: write it like 30m, 4h or 1d2h30m15s (d = 24 h)"),
    (team('agents: [lee]\nwarn: ["50%", "50%"]'), "6: teams.it.warn: '50%' is listed twice; keep one"),
    (team("agents: [a]", "{a: {slack: U1}, b: {slack: U1}}"), "2: people.b.slack: 'U1' is already the account of 'a'; an account belongs to one person"),
    (team("agents: [lee]\nslack: {help: [T9/C1]}\n"), "6: teams.it.slack.help: 'T9' is not listed under places.slack: allowed: T1"),
    (team("agents: [lee]\nslack: {help: [C1], triage: C1}"), "6: teams.it.slack.triage: 'C1' is also a help channel of 'it'; use two channels"),
    (team("agents: [lee]\nslack: &s {help: [C1], triage: C2}") + "  hr: {agents: [lee], slack: {help: [T1/C1], triage: C3}}", "7: teams.hr.slack.help: 'T1/C1' is already a help channel of 'it'; it belongs to one team"),
    ("a: &a [*a]\n" + team("agents: [lee]"), "1: an alias (*name) stands inside the value it repeats"),
    ("? [a]\n: 1\n" + team("agents: [lee]"), "1: a key must be a single word, not a list or a mapping"),
    (team("agents: [lee]\n<<: {name: IT}"), "6: teams.it: unknown key '<<': allowed: name, agents, lead, language, restricted, allow_guests, calendar, sla, warn, overdue, escalation, oncall, policies, slack, teams, web"),
]  # fmt: skip

WARNINGS = [
    (team("name: IT"), "4: warning: teams.it: has no agents, so nobody can take its tickets"),
    (team("agents: [lee]\nslack: {help: [C1]}"), "4: warning: teams.it: has no triage channel, so its agents see no tickets"),
    (team("agents: [lee]\nslack: {help: [C1], triage: C2}").replace("[T1]", "[]"), "6: warning: teams.it.slack.help: 'C1' has no place: list your own under places.slack, or everybody is a stranger"),
    (team("agents: [lee]\nteams: {triage: '19:x'}"), "6: warning: teams.it.teams.triage: '19:x' has no place: list your own under places.teams, or everybody is a stranger"),
    (team("agents: [lee]\nslack: {triage: C2}") + "  hr: {agents: [lee], slack: {triage: C2}}", "7: warning: teams.hr.slack.triage: 'C2' is also the triage channel of 'it'; each team sees the other's tickets"),
    (team("agents: [lee]\nsla: {high: {resolution: 8h}}"), "6: warning: teams.it.sla: has no calendar: business hours are around the clock"),
    (calendar(days="GB"), "9: warning: teams.it.calendar.holidays: 'GB' lacks Easter Monday and the August bank holiday: write GB-ENG, GB-SCT, GB-WLS or GB-NIR"),
    (team("agents: [a]", "{a: {email: x@y.z}, b: {email: X@y.z}}"), "2: warning: people.b.email: 'X@y.z' is also the address of 'a'"),
    (team("agents: [lee]\nslack: {help: ['#help'], triage: C1}"), "6: warning: teams.it.slack.help: '#help' does not look like a Slack channel id (it starts with C): it stands last in the channel's details"),
    (team("agents: [lee]", "{lee: {slack: lee}}"), "2: warning: people.lee.slack: 'lee' does not look like a Slack member id (it starts with U): open the profile, More, Copy member ID"),
]  # fmt: skip
