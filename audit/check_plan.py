"""What a check is given, and which rules it leaves undecided for want of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from audit.model import OutcomeStatus, Rule
from audit.rulebook import INTAKE_TABLES, LINK_TABLES, RuleBook


class LinkState(StrEnum):
    """Whether units were matched before the check."""

    DONE = "done"
    OFF = "off"
    FAILED = "failed"


class EstimateState(StrEnum):
    """Whether a table of the schema `estimate` was made before the check."""

    MADE = "made"
    NO_INPUT = "no_input"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Estimated:
    """How a table of the schema `estimate` ended, and which tables it lacked."""

    state: EstimateState
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """What to check: the rules, the tables that hold rows, the region to keep to.

    `links` tells whether tonight's pairs are there: without them a rule that needs them is not
    decided, and after a failed matcher neither is one that would use them. `estimates`: tables of
    the schema `estimate` by their state, which is treated in the same way.
    """

    book: RuleBook
    run_id: str
    filled_tables: frozenset[str]
    whole_region: str
    region_prefix: str = ""
    links: LinkState = LinkState.DONE
    estimates: Mapping[str, Estimated] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def missing_tables(rule: Rule, plan: CheckPlan) -> list[str]:
    """Return the delivered tables for want of which a rule is not applicable."""
    ready = {*plan.filled_tables, *LINK_TABLES, *INTAKE_TABLES}
    missing: list[str] = []
    for name in rule.tables:
        if name in plan.estimates:
            missing += plan.estimates[name].missing
        elif name not in ready and not name.startswith("ref_"):
            missing.append(name)
    return list(dict.fromkeys(missing))


def without_links(rule: Rule, plan: CheckPlan) -> OutcomeStatus | None:
    """Return how a rule over links ends where there are none tonight, None where it can run.

    ERROR after a failed matcher, so that the ledger closes no finding of a rule that nobody ran.
    """
    if plan.links is LinkState.FAILED and {*rule.tables, *rule.optional_tables} & set(LINK_TABLES):
        return OutcomeStatus.ERROR
    if plan.links is LinkState.OFF and set(rule.tables) & set(LINK_TABLES):
        return OutcomeStatus.NOT_APPLICABLE
    return None


def failed_estimates(rule: Rule, plan: CheckPlan) -> list[str]:
    """Return the estimates of a rule that failed: it was not decided, and closes no finding."""
    named = [name for name in (*rule.tables, *rule.optional_tables) if name in plan.estimates]
    return [name for name in named if plan.estimates[name].state is EstimateState.FAILED]
