"""What can be wrong in desk.yaml with policies, escalation, rotas and quiet hours; one a line.

Used by `tests.unit.test_deskfile`.
"""

# ruff: noqa: E501 - a case is easier to read on one line

from __future__ import annotations

from tests.unit.deskfile_cases import team

TWO = "{lee: {}, kim: {}}"
TIGHT = 'calendar: {timezone: UTC, hours: {mon: ["09:00-09:01"]}}'
"""A minute a week."""


def sla(body: str) -> str:
    """Promises for high, counted around the clock, on line 6."""
    return team(f"agents: [lee]\nsla: {{high: {{{body}, hours: calendar}}}}")


def policies(*entries: str, more: str = "lead: lee", people: str = "{lee: {}}") -> str:
    """Policies with a promise for normal, one a line from line 8 on; `more` is line 6."""
    lines = "".join(f"\n  - {{sla: {{normal: {{resolution: 8h, hours: calendar}}}}, {entry}}}" for entry in entries)
    return team(f"agents: [lee]\n{more}\npolicies:{lines}", people)


def steps(*entries: str, more: str = "lead: lee", people: str = "{lee: {}}") -> str:
    """Steps of a chain, one a line from line 9 on; `more` is line 6."""
    lines = "".join(f"\n    - {{{entry}}}" for entry in entries)
    return team(f"agents: [lee]\n{more}\nescalation:\n  steps:{lines}", people)


def oncall(body: str, people: str = TWO, more: str = "lead: lee") -> str:
    """A rota, on line 7; `more` is line 6."""
    return team(f"agents: [lee]\n{more}\noncall: {{{body}}}", people)


def quiet(written: str) -> str:
    """Somebody's quiet hours, on line 2."""
    return team("agents: [lee]", f"{{lee: {{quiet: {written}}}}}")


_NEVER = "never comes: ten years of this calendar are too short for it"
_SPAN = "is not a window: write it like 09:00-17:00 (overnight 22:00-06:00, to midnight 24:00)"

ERRORS = [
    # policies
    (policies("when: {words: [a]}"), "8: teams.it.policies.name: is missing"),
    (policies("name: a, when: {wrods: [a]}"), "8: teams.it.policies.when: unknown key 'wrods': did you mean 'words'?"),
    (policies("name: a, when: {words: []}"), "8: teams.it.policies.when.words: needs at least one entry"),
    (policies("name: a, when: {languages: [fr]}"), "8: teams.it.policies.when.languages: must be 'en', 'ko' or 'zh-Hant', not 'fr'"),
    (policies("name: a, when: {guests: some}"), "8: teams.it.policies.when.guests: must be true or false, not 'some'"),
    (policies("name: a, when: {requesters: [dana]}"), "8: teams.it.policies.when.requesters: 'dana' is not a key under people: allowed: lee"),
    (policies("name: a, when: {channels: [T9/C1]}"), "8: teams.it.policies.when.channels: 'T9' is not listed under places.slack: allowed: T1"),
    (policies("name: a, when: {channels: ['19:x']}"), "8: teams.it.policies.when.channels: '19:x' has no place: list your own under places.teams"),
    (policies("name: a, when: {channels: [help]}"), "8: teams.it.policies.when.channels: 'help' does not tell its platform: write slack:help or teams:help or web:help"),
    (policies("name: a, when: {channels: ['slack:']}"), "8: teams.it.policies.when.channels: 'slack:' names no channel: write its id"),
    (policies("name: a, when: {channels: [C1]}", more="slack: {help: [C1], triage: C2}\nweb: {help: [C1]}"), "9: teams.it.policies.when.channels: 'C1' is a channel on more than one platform: write slack:C1 or web:C1"),
    (policies("name: a, when: {guests: false}", "name: a, when: {words: [a]}"), "9: teams.it.policies.name: 'a' is the name of another policy of this team: choose one of its own"),
    (policies("name: sla, when: {words: [a]}", more="sla: {high: {resolution: 1h, hours: calendar}}"), "8: teams.it.policies.name: 'sla' is the name of the team's own sla: choose one of its own"),
    (policies("name: a", "name: b, when: {words: [a]}"), "8: teams.it.policies: fits every request, so no policy after it is ever taken: put it last, or give it a when"),
    (policies("name: a, when: {}", "name: b, when: {words: [a]}"), "8: teams.it.policies: fits every request, so no policy after it is ever taken: put it last, or give it a when"),
    (policies("name: a", more="sla: {high: {resolution: 1h, hours: calendar}}"), "8: teams.it.policies: fits every request, so the team's sla is never taken: give it a when, or take one out"),
    (policies("name: a, priority: high"), "8: teams.it.policies.priority: needs a when: requests that fit no condition begin with normal; give it one, or take priority out"),
    (policies('name: a, when: {words: [a]}, calendar: {timezone: UTC, hours: {mon: ["09:00-09:00"]}}'), "8: teams.it.policies.calendar.hours.mon: '09:00-09:00' is empty: a window closes after it opens; around the clock is 00:00-24:00"),
    (team("agents: [lee]\npolicies:\n  - {name: a, when: {words: [a]}, sla: {}}"), "7: teams.it.policies.sla: needs at least one entry"),
    (team("agents: [lee]\npolicies:\n  - {name: a, when: {words: [a]}, sla: {normal: {hours: business}}}"), "7: teams.it.policies.sla.normal: promises nothing: set at least one of first_response, next_reply, periodic_update, requester_wait, agent_work, resolution, ownership"),
    (team(f"agents: [lee]\n{TIGHT}\npolicies:\n  - name: a\n    sla:\n      normal:\n        resolution: 24h"), f"11: teams.it.policies.sla.normal.resolution: {_NEVER}"),
    (team(f"agents: [lee]\nsla: {{high: {{resolution: 1m}}}}\noverdue: 24h\n{TIGHT}"), f"7: teams.it.overdue: {_NEVER}"),
    (team(f"agents: [lee]\n{TIGHT}\nescalation: {{ack: 24h}}"), f"7: teams.it.escalation.ack: {_NEVER}"),
    (steps("wait: 24h", "notify: lead", more=f"{TIGHT}\nlead: lee"), f"10: teams.it.escalation.steps: {_NEVER}"),
    (team("agents: [lee]\noverdue: 59s"), "6: teams.it.overdue: is shorter than 1m; write a minute or more, or off"),
    (team("agents: [lee]\noverdue: []"), "6: teams.it.overdue: must be a duration such as 30m, 4h or 1d2h30m15s (d = 24 h), or off"),
    (team("agents: [lee]\noverdue: false"), "6: teams.it.overdue: 'false' is not a duration: write it like 30m, 4h or 1d2h30m15s (d = 24 h), or off"),
    (team("agents: [lee]\noverdue: 0m"), "6: teams.it.overdue: '0m' is out of range: a duration is more than 0 and at most 3650d, or off"),
    ("pings: {per_hour: 0}\n" + team("agents: [lee]"), "1: pings.per_hour: must be 1 or more, not '0'"),
    # escalation
    (team("agents: [lee]\nescalation: {steps: []}"), "6: teams.it.escalation.steps: notifies nobody: add a step such as {notify: lead}"),
    (steps("wait: 10m", "raise: high"), "8: teams.it.escalation.steps: notifies nobody: add a step such as {notify: lead}"),
    (steps("notify: lead", "notify: on-call", more="name: IT"), "8: teams.it.escalation.steps: notifies nobody: the team has no lead and no oncall; set one, or add {notify: team}"),
    (steps("notify: on-call"), "8: teams.it.escalation.steps: notifies nobody: the team has no oncall; set one, or add {notify: team}"),
    (steps("notify: lead, wait: 10m"), "9: teams.it.escalation.steps: a step does one thing: notify, wait, raise, reassign or repeat"),
    (steps("notify:"), "9: teams.it.escalation.steps: a step does one thing: notify, wait, raise, reassign or repeat"),
    (steps("notfy: lead"), "9: teams.it.escalation.steps: unknown key 'notfy': did you mean 'notify'?"),
    (steps("notify: lead", "wait: 0m", "notify: team"), "10: teams.it.escalation.steps.wait: '0m' is out of range: a duration is more than 0 and at most 3650d"),
    (steps("notify: laed"), "9: teams.it.escalation.steps: 'laed' is nobody to call: did you mean 'lead'?"),
    (steps("notify: xyz"), "9: teams.it.escalation.steps: 'xyz' is nobody to call: allowed: owner, lead, on-call, team, lee, channel:ID"),
    (steps("notify: 'channel:T9/C1'"), "9: teams.it.escalation.steps: 'T9' is not listed under places.slack: allowed: T1"),
    (steps("notify: 'channel:'"), "9: teams.it.escalation.steps: the id of the channel is missing: write channel:ID"),
    (steps("notify: lead", "notify: kim", more="restricted: true\nlead: lee", people=TWO), "11: teams.it.escalation.steps: 'kim' is neither an agent nor the lead of 'it', and its tickets are restricted: add them, or take them out"),
    (steps("notify: lead", "raise: low"), "10: teams.it.escalation.steps.raise: 'low' is the lowest priority, nothing is raised to it: write normal, high or urgent"),
    (steps("notify: lead", "reassign: owner"), "10: teams.it.escalation.steps: 'owner' is nobody to take over a ticket: allowed: lead, on-call, lee"),
    (steps("notify: lead", "reassign: kim", people=TWO), "10: teams.it.escalation.steps: 'kim' is neither an agent nor the lead of 'it', so they cannot take its tickets: add them, or name another"),
    (steps("notify: lead", "wait: 10m", "repeat: 2", "notify: team"), "11: teams.it.escalation.steps: repeat begins again, so no step after it is ever taken: put it last"),
    (steps("notify: lead", "repeat: 2"), "10: teams.it.escalation.steps: repeats without a pause: put a wait before it"),
    (steps("notify: lead", "wait: 1h", "repeat: 0"), "11: teams.it.escalation.steps.repeat: must be 1 or more, not '0'"),
    (policies("name: a, when: {words: [a]}, escalation: {steps: [{wait: 1h}]}"), "8: teams.it.policies.escalation.steps: notifies nobody: add a step such as {notify: lead}"),
    # on call
    (oncall("people: []"), "7: teams.it.oncall.people: needs at least one entry"),
    (oncall("people: [lea]"), "7: teams.it.oncall.people: 'lea' is not a key under people: did you mean 'lee'?"),
    (oncall("people: [lee, kim]", more="restricted: true"), "7: teams.it.oncall.people: 'kim' is neither an agent nor the lead of 'it', and its tickets are restricted: add them, or take them out"),
    (oncall("people: [lee], start: monday"), "7: teams.it.oncall.start: 'monday' is not a day: write it like 2026-01-05"),
    (oncall("people: [lee], start: 2026-02-30"), "7: teams.it.oncall.start: '2026-02-30' is not a day of the calendar: write dates as year-month-day"),
    (oncall("people: [lee], start: 0001-01-01"), "7: teams.it.oncall.start: '0001-01-01' is out of range: years go from 1971 to 2200"),
    (oncall("people: [lee], at: 9"), "7: teams.it.oncall.at: '9' is not a time of day: write it like 09:00"),
    (oncall("people: [lee], at: '24:00'"), "7: teams.it.oncall.at: '24:00' is not a time of day: write it like 09:00"),
    (oncall("people: [lee], timezone: Nowhere"), "7: teams.it.oncall.timezone: 'Nowhere' is not an IANA time zone: write it like Europe/London or Asia/Seoul"),
    (oncall("people: [lee], overrides: [{person: kin, from: 2026-12-24, until: 2026-12-27}]"), "7: teams.it.oncall.overrides.person: 'kin' is not a key under people: did you mean 'kim'?"),
    (oncall("people: [lee], overrides: [{person: lee, from: 2026-12-27, until: 2026-12-24}]"), "7: teams.it.oncall.overrides: does not end after it begins: put until after from"),
    (oncall("people: [lee], timezone: Asia/Seoul, overrides: [{person: lee, from: '2026-12-24T18:00', until: '2026-12-24T09:00+00:00'}]"), "7: teams.it.oncall.overrides: does not end after it begins: put until after from"),
    (oncall("people: [lee], overrides: [{person: lee, from: soon, until: 2026-12-24}]"), "7: teams.it.oncall.overrides.from: 'soon' is not an instant: write it like 2026-03-06T16:30, or with an offset 2026-03-06T16:30+01:00"),
    (oncall("people: [lee], overrides: [{person: lee, until: 2026-12-24}]"), "7: teams.it.oncall.overrides.from: is missing"),
    # quiet hours
    (quiet('["20-08"]'), f"2: people.lee.quiet: '20-08' {_SPAN}"),
    (quiet("[]"), "2: people.lee.quiet: needs at least one entry"),
    (quiet('["20:00-08:00", "07:00-09:00"]'), "2: people.lee.quiet: mon 20:00-08:00 and tue 07:00-09:00 overlap; make it one window or move one"),
    (quiet('["00:00-24:00"]'), "2: people.lee.quiet: quiet hours around the clock: nobody could ever be called; leave some hours out"),
    (quiet('{hours: {mon-sun: ["08:00-20:00", "20:00-08:00"]}}'), "2: people.lee.quiet: quiet hours around the clock: nobody could ever be called; leave some hours out"),
    (quiet("{hours: {}}"), '2: people.lee.quiet.hours: no hours: write at least one line such as mon-fri: ["09:00-17:00"]'),
    (quiet('{hours: {mon: ["09:00-17:00"]}, timezone: Nowhere}'), "2: people.lee.quiet.timezone: 'Nowhere' is not an IANA time zone: write it like Europe/London or Asia/Seoul"),
    (quiet("night"), "2: people.lee.quiet: must be a mapping (key: value), not 'night'"),
]  # fmt: skip

_LONGER = "is longer than resolution, which is always broken first: shorten it, or take it out"

WARNINGS = [
    (sla("next_reply: 2h, resolution: 1h"), f"6: warning: teams.it.sla.high.next_reply: {_LONGER}"),
    (sla("periodic_update: 2h, resolution: 1h"), f"6: warning: teams.it.sla.high.periodic_update: {_LONGER}"),
    (sla("requester_wait: 2h, resolution: 1h"), f"6: warning: teams.it.sla.high.requester_wait: {_LONGER}"),
    (sla("agent_work: 2h, resolution: 1h, pause_on_hold: true"), f"6: warning: teams.it.sla.high.agent_work: {_LONGER}"),
    (policies("name: a, when: {words: [a]}, priority: high"), "8: warning: teams.it.policies.sla: promises nothing for high, with which its tickets begin: add high, or set priority"),
    (policies("name: a, when: {guests: true}"), "8: warning: teams.it.policies.when.guests: guests may not open tickets of this team: set allow_guests, or take it out"),
    (policies("name: a, when: {channels: ['slack:#help']}"), "8: warning: teams.it.policies.when.channels: '#help' does not look like a Slack channel id (it starts with C): it stands last in the channel's details"),
    (policies("name: a, when: {words: [pay, tax]}", "name: b, when: {words: [PAYslip], languages: [ko]}"), "9: warning: teams.it.policies: is never taken: 'a' before it fits whatever it fits; put it before that"),
    (policies("name: a, when: {channels: [C1, C2]}", "name: b, when: {channels: [T1/C2]}"), "9: warning: teams.it.policies: is never taken: 'a' before it fits whatever it fits; put it before that"),
    (policies("name: a, when: {guests: false}", "name: b, when: {guests: false, requesters: [lee]}"), "9: warning: teams.it.policies: is never taken: 'a' before it fits whatever it fits; put it before that"),
    (team("agents: [lee]\npolicies:\n  - {name: a, when: {words: [a]}, sla: {normal: {resolution: 8h}}}"), "7: warning: teams.it.policies.sla: has no calendar: business hours are around the clock"),
    (policies('name: a, when: {words: [a]}, calendar: {timezone: UTC, hours: {mon: ["09:00-17:00"]}, holidays: [GB]}'), "8: warning: teams.it.policies.calendar.holidays: 'GB' lacks Easter Monday and the August bank holiday: write GB-ENG, GB-SCT, GB-WLS or GB-NIR"),
    (steps("notify: owner", "notify: on-call"), "10: warning: teams.it.escalation.steps: the team has no oncall, so this step does nothing: set oncall, or take the step out"),
    (steps("notify: owner", "notify: lead", more="name: IT"), "10: warning: teams.it.escalation.steps: the team has no lead, so this step does nothing: set lead, or take the step out"),
    (steps("notify: owner", "reassign: on-call"), "10: warning: teams.it.escalation.steps: the team has no oncall, so this step does nothing: set oncall, or take the step out"),
    (steps("notify: lead", "wait: 10m"), "10: warning: teams.it.escalation.steps: waits, but nothing comes after it: add a step, or take it out"),
    (steps("notify: lead", "wait: 10m", "wait: 10m", "notify: team"), "11: warning: teams.it.escalation.steps: waits right after another wait: make it one"),
    (steps("notify: lead", "raise: urgent", more="sla: {high: {resolution: 8h, hours: calendar}}\nlead: lee"), "6: warning: teams.it.sla: promises nothing for urgent, to which its escalation raises: add urgent, or take that step out"),
    (steps("notify: 'channel:slack:#it'"), "9: warning: teams.it.escalation.steps: '#it' does not look like a Slack channel id (it starts with C): it stands last in the channel's details"),
    (steps("notify: 'channel:C3'", more="restricted: true\nslack: {triage: C2}"), "10: warning: teams.it.escalation.steps: everybody in 'C3' would read of tickets of 'it', which are restricted: notify people"),
    (oncall("people: [lee, kim, kim]"), "7: warning: teams.it.oncall.people: 'kim' is neither an agent nor the lead of 'it', so they do not see its tickets: add them under agents"),
    (oncall("people: [lee], overrides: [{person: kim, from: 2026-12-24, until: 2026-12-27}]"), "7: warning: teams.it.oncall.overrides.person: 'kim' is neither an agent nor the lead of 'it', so they do not see its tickets: add them under agents"),
]  # fmt: skip

NOTHING_TO_SAY = [
    sla("next_reply: 2h, resolution: 1h, pause_on_hold: true"),
    sla("agent_work: 2h, resolution: 1h, reopen: first_only"),
    sla("ownership: 2h, resolution: 1h"),
    policies("name: a, when: {words: [payslip]}", "name: b, when: {words: [pay]}", "name: c"),
    policies("name: a, when: {words: [pay], languages: [ko]}", "name: b, when: {words: [payslip]}"),
    policies("name: a, when: {guests: false}", "name: b, when: {requesters: [lee]}"),
    steps("wait: 10m", "notify: lead", "wait: 10m", "repeat: 3"),
    steps("notify: 'channel:C2'", more="restricted: true\nslack: {triage: C2}"),
    steps("notify: kim", people=TWO),
    oncall("people: [lee, lee]"),
    oncall("people: [lee, kim]", people="{lee: {}, kim: {admin: true}}"),
]
