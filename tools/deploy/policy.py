"""Our own rules for what is deployed. Each is a function that yields what breaks it."""
from tools.deploy import policy_agent
from tools.deploy import policy_objects
from tools.deploy import policy_pods

# Name of the rule: the function. tests/deploy/bad/ has a folder for each that it must reject.
RULES = {**policy_pods.RULES, **policy_agent.RULES, **policy_objects.RULES}


def check(things: list[dict], flags: dict[str, set[str]]) -> dict[str, list[str]]:
    """What is wrong, by rule. `flags`: the environment variables that each program knows."""
    found = {}
    for name, rule in RULES.items():
        wrong = list(rule(things, flags))
        if wrong:
            found[name] = wrong
    return found
