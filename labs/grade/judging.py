"""Make a grade of what the supervisor reports."""

from __future__ import annotations

from collections.abc import Mapping

from labs.grade.exercises import Exercise
from labs.grade.grades import Grade, PartGrade
from labs.grade.submissions import Submission

_NOT_REACHED = "[--] not reached: the notebook was stopped before"
_ENDINGS = {
    "time": ("time", "stopped: the whole took longer than {timeout:g} seconds"),
    "memory": ("memory", "stopped: all its processes together took more than {gib:.3g} GiB of memory"),
    "processes": ("crashed", "stopped: it started more than {processes} processes"),
    "signal 11": ("crashed", "its process crashed (segmentation fault)"),
    "signal 9": ("crashed", "its process was killed, by the system or by itself"),
}


def unreadable(submission: Submission, exercise: Exercise | None) -> Grade:
    """Return the grade of a submission that cannot be run: no point, and the reason.

    Args:
        submission: what was handed in.
        exercise: which it is of, if its name tells.
    """
    return Grade(submission, _parts(exercise, {}, "[--] not run"), "unreadable", message=submission.problem)


def not_graded(submission: Submission, exercise: Exercise, trouble: str) -> Grade:
    """Return what stands in for a grade when the grader itself failed.

    Args:
        submission: what was handed in.
        exercise: which it is of.
        trouble: what happened.
    """
    parts = _parts(exercise, {}, "[--] not graded")
    return Grade(submission, parts, "not graded", message=f"the grader failed: {trouble}")


def judge(
    submission: Submission, exercise: Exercise, reply: Mapping, limits: Mapping, remark: str = ""
) -> Grade:
    """Return the grade of a submission that ran.

    Args:
        submission: what was handed in.
        exercise: which it is of.
        reply: what :meth:`labs.grade.supervisor.Watch.until_ended` returns.
        limits: the fields of :class:`labs.grade.limits.Limits`.
        remark: what else the message shall say.
    """
    findings: dict[str, list[dict]] = {}
    for finding in reply["findings"]:
        findings.setdefault(finding["kind"], []).append(finding)
    best: dict[str, dict] = {}
    for part in findings.get("part", []):
        if not best.get(part["name"], {}).get("passed"):
            best[part["name"]] = part
    errors = findings.get("error", [])
    cell = findings["cell"][-1]["cell"] if "cell" in findings else 0
    status, message = _ending(reply["ended"], "end" in findings, cell, limits)
    messages = [message] if message else []
    met = [finding["limit"] for finding in (*errors, *findings.get("part", []))]
    if status == "ok":
        status = next((limit for limit in ("time", "memory") if limit in met), "errors" if errors else "ok")
    messages += [f"cell {error['cell']}: {error['short']}" for error in errors[:3]]
    messages += [f"{part['name']}: {part['lines'][0]}" for part in findings.get("part", []) if part["limit"]]
    messages += list(dict.fromkeys(note["text"] for note in findings.get("note", [])))[:3]
    messages += [remark] if remark else []
    return Grade(
        submission,
        _parts(exercise, best, _NOT_REACHED),
        status,
        reply["seconds"],
        "; ".join(messages),
        tuple(error["text"] for error in errors),
        reply["printed"] if status == "crashed" else "",
        _confinement(findings.get("confined", [])),
    )


def _ending(ended: str, came_to_its_end: bool, cell: int, limits: Mapping) -> tuple[str, str]:
    if ended == "exit 0" and came_to_its_end:
        return "ok", ""
    status, sentence = _ENDINGS.get(ended, ("crashed", f"its process ended early ({ended})"))
    sentence = sentence.format(**limits, gib=limits["memory"] / 2**30)
    return status, f"{sentence}, in cell {cell}" if cell else sentence


def _confinement(found: list[dict]) -> str:
    if not found:
        return ""
    missing = f"; missing here: {', '.join(found[0]['missing'])}" if found[0]["missing"] else ""
    return f"no network by {found[0]['network']}; no writing elsewhere by {found[0]['files']}{missing}"


def _parts(exercise: Exercise | None, found: Mapping[str, Mapping], otherwise: str) -> tuple[PartGrade, ...]:
    return tuple(
        PartGrade(
            part.name,
            part.heading,
            found.get(part.name, {}).get("passed") is True,
            tuple(found.get(part.name, {}).get("lines", (otherwise,))),
        )
        for part in (exercise.parts if exercise else ())
    )
