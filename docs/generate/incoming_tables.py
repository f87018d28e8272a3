"""The incoming tables, from the contracts that check them."""

from docs.generate.markdown import bullets, code, page, table
from etl.contracts import CONTRACT_VERSION, CONTRACTS
from etl.contracts.contract import Contract, Field
from etl.contracts.rules import RULES, named_rule

OPENING = f"""\
What a delivery may hold (contract version {CONTRACT_VERSION}). A CSV file or a sheet named like a
table, with these fields as headers, loads without a profile; any other layout is mapped to them by
a [profile](../profiles.md). Every cell arrives as text and is kept as delivered beside the stored
value. A row that breaks a rule is refused with the rule, its place and its text; never repaired."""

KINDS = {
    "text": "text",
    "code": "one of",
    "number": "number",
    "integer": "whole number",
    "flag": "yes / no",
}


def contracts_page() -> str:
    return page(
        "Incoming tables",
        OPENING,
        *(contract_section(contract) for contract in CONTRACTS.values()),
        "## Rules",
        "Each refused row names one of these:",
        table(("rule", "meaning"), ((code(name), text) for name, text in RULES.items())),
    )


def contract_section(contract: Contract) -> str:
    parts = (
        f"## {contract.name}",
        f"{contract.title}. Natural key within the study: "
        + ", ".join(code(name) for name in contract.key)
        + ". A row without "
        + " and ".join(code(name) for name in contract.content)
        + " is empty."
        if contract.content
        else "",
        table(("field", "", "kind", "meaning"), (field_row(f) for f in contract.fields)),
        own_rules(contract),
    )
    return "\n\n".join(part for part in parts if part)


def field_row(field: Field) -> tuple[str, str, str, str]:
    required = "required" if field.required else ""
    kind = KINDS[field.kind]
    if field.kind == "code":
        kind = ", ".join(code(word) for word in dict.fromkeys(field.words.values())) or "code"
    return code(field.name), required, kind, field.note


def own_rules(contract: Contract) -> str:
    """Ranges of numbers, and the rules over several fields."""
    columns = contract.schema.columns()
    ranges = [
        f"{code(name)}: {text}" for name, column in columns.items() if (text := range_text(column))
    ]
    several = sorted(
        f"{code(column)}: {RULES[rule]} ({code(rule)})"
        for name in dir(contract.schema)
        if "__" in name.strip("_")
        for rule, column in [named_rule(name)]
        if rule in RULES and column
    )
    return bullets([*ranges, *several])


def range_text(column: object) -> str:
    """The numbers that a column may hold; "" when any."""
    signs = {
        "min": "at least",
        "min_exclusive": "above",
        "max": "at most",
        "max_exclusive": "below",
    }
    found = {name: getattr(column, name, None) for name in signs}
    return ", ".join(f"{signs[name]} {value}" for name, value in found.items() if value is not None)
