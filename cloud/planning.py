"""Plans of pay for the finance clerk's shell: `duifu cloud plan check|show|diff|publish|try`."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from agreed.money import yuan
from agreed.words import RemedyError, say
from cloud.database import plan_books
from cloud.database.engine import reading
from cloud.office.people import Duty
from cloud.office.plans import Tried, check_plan, find_plan, publish_plan, try_on_past
from cloud.settlement.comparing import differences, in_words
from cloud.settlement.plans import Plan
from cloud.settlement.prose import percent, prose
from cloud.settlement.whatif import Sensitivity, Trial
from cloud.shell import DEFAULT_DATA, AsJson, Data, Token, opened, out, print_json

EXIT_FAULTY: Final = 1
"""The plan holds something that is wrong."""

plan_app = typer.Typer(
    no_args_is_help=True, help=say("Plans of pay: check, show, diff, publish, try.")
)
File = Annotated[Path, typer.Argument(help=say("File with the plan, JSON; - for standard input."))]
Key = Annotated[str | None, typer.Argument(help=say("Plan; all of them when left out."))]
KeyWanted = Annotated[str, typer.Argument(help=say("Plan."))]
Version = Annotated[int | None, typer.Option(help=say("Version; the newest when left out."))]


@plan_app.command("check", help=say("Check a plan and say what it does; exit status 1 if faulty."))
def plan_check(file: File) -> None:
    """Check a file; needs no store."""
    for sentence in prose(_read(file)):
        out.print(sentence, markup=False)


@plan_app.command("show", help=say("Say what a plan does."))
def plan_show(
    key: Key = None, version: Version = None, data: Data = DEFAULT_DATA, *, as_json: AsJson = False
) -> None:
    """Show one plan, or the newest version of each."""
    with opened(data) as house, reading(house.engine) as connection:
        if key is None:
            found = plan_books.newest_plans(connection, house.company)
        else:
            found = [find_plan(connection, house.company, key, version)]
    if as_json:
        print_json(list[plan_books.PublishedPlan], found)
        return
    if not found:
        out.print(say("There is no plan; piece rates of the packs are in force alone."))
    for published in found:
        out.print(f"{published.plan.key} v{published.version}", markup=False)
        for sentence in prose(published.plan):
            out.print(f"  {sentence}", markup=False)


@plan_app.command("diff", help=say("Say what a file or a version changes against a version."))
def plan_diff(
    key: KeyWanted,
    before: Annotated[int, typer.Argument(help=say("Version to compare with."))],
    file: Annotated[Path | None, typer.Option(help=say("A file instead of a version."))] = None,
    version: Version = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Compare field by field."""
    with opened(data) as house, reading(house.engine) as connection:
        old = find_plan(connection, house.company, key, before).plan
        new = _read(file) if file else find_plan(connection, house.company, key, version).plan
    found = differences(old, new)
    for difference in found:
        out.print(in_words(difference), markup=False)
    if not found:
        out.print(say("Nothing differs."))


@plan_app.command("publish", help=say("Publish a plan as the next version of its key."))
def plan_publish(file: File, token: Token = None, data: Data = DEFAULT_DATA) -> None:
    """Publish; the same content again changes nothing."""
    plan = _read(file)
    with opened(data) as house:
        who, now_ms = house.acting(token), house.now_ms
        who.must_be(Duty.OPERATOR)
        version = publish_plan(house.engine, house.company, plan, who.user_id, now_ms)
    out.print(
        say(
            "{plan} version {version} holds from {month} on.",
            plan=plan.key,
            version=version,
            month=plan.from_period,
        )
    )


@plan_app.command("try", help=say("Try a plan on past months, without posting."))
def plan_try(
    file: File,
    from_month: Annotated[str, typer.Argument(help=say("First month, as 2026-03."))],
    until_month: Annotated[str, typer.Argument(help=say("Last month."))],
    data: Data = DEFAULT_DATA,
    *,
    as_json: AsJson = False,
) -> None:
    """Say who gains, who loses and what the company keeps."""
    plan = _read(file)
    with opened(data) as house, reading(house.engine) as connection:
        tried = try_on_past(connection, house.company, plan, from_month, until_month)
    if as_json:
        print_json(Tried, tried)
        return
    out.print(_people(tried))
    if tried.before is not None:
        out.print(say("Under the plans in force: {sums}", sums=_sums(tried.before)))
    out.print(say("Under this plan: {sums}", sums=_sums(tried.after)))
    for team in tried.after.sensitivity:
        out.print(_sensitivity(team), markup=False)


def _read(file: Path) -> Plan:
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text()
        content = json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RemedyError(say("{file} cannot be read: {error}", file=file, error=error)) from None
    except json.JSONDecodeError as error:
        raise RemedyError(
            say(
                "{file}, line {line}: this is no JSON; put it right there.",
                file=file,
                line=error.lineno,
            )
        ) from None
    found = check_plan(content)
    if isinstance(found, Plan):
        return found
    for fault in found:
        out.print(f"✗ {fault.message}", markup=False)
    raise typer.Exit(EXIT_FAULTY)


def _people(tried: Tried) -> Table:
    table = Table(say("Worker"), say("Before, yuan"), say("After, yuan"), say("Gain, yuan"))
    for change in tried.changes:
        row = (change.before_fen, change.after_fen, change.gain_fen)
        table.add_row(change.worker, *map(yuan, row))
    if not tried.changes:
        for worker, fen in tried.after.paid_fen.items():
            table.add_row(worker, "–", yuan(fen), "–")
    return table


def _sums(trial: Trial) -> str:
    ratio = "–" if trial.ratio_bp is None else percent(trial.ratio_bp)
    return say(
        "new profit {profit} yuan, of which the company keeps {kept}; new profit to wages {ratio}.",
        profit=yuan(trial.new_profit_fen),
        kept=yuan(trial.company_fen),
        ratio=ratio,
    )


def _sensitivity(found: Sensitivity) -> str:
    team = found.team or "–"
    if found.slope_bp is None:
        return say("Team {team}: all scores are equal; nothing can be told.", team=team)
    share = percent(max(0, found.slope_bp))
    if found.is_flat:
        return say(
            "Team {team}: good and bad work is paid alike (pay follows {share} of the score).",
            team=team,
            share=share,
        )
    return say("Team {team}: pay follows {share} of the score.", team=team, share=share)
