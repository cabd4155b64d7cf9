"""What /metrics says, held against docs/metrics.md: names, types, units, labels and help."""
import re
import tempfile
import unittest

from tests.programs import program

PAGE = "docs/metrics.md"
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SECTIONS = {"baton-agent": "agent", "baton-bootstrap": "bootstrap", "baton-router": "router",
            "All": "all"}


def documented() -> dict[str, dict[str, dict]]:
    """By section and name: type, unit, labels, help."""
    found: dict[str, dict[str, dict]] = {section: {} for section in SECTIONS.values()}
    section = ""
    with open(PAGE, encoding="utf-8") as file:
        for line in file:
            if line.startswith("## "):
                section = SECTIONS[line[3:].strip()]
            elif line.startswith("| `"):
                name, kind, unit, labels, text = [c.strip() for c in line.strip("|\n ").split("|")]
                found[section][name.strip("`")] = {
                    "type": kind, "unit": unit, "labels": re.findall(r"`(\w+)`", labels),
                    "help": text}
    return found


def parse(text: str) -> tuple[dict, dict, list]:
    """Helps and types by name, and the samples: (name, labels, value)."""
    helps, types, samples = {}, {}, []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, _, rest = line[7:].partition(" ")
            assert name not in helps, "twice: " + name
            helps[name] = rest
        elif line.startswith("# TYPE "):
            name, _, kind = line[7:].partition(" ")
            types[name] = kind
        else:
            match = SAMPLE.match(line)
            assert match, "no sample: " + line
            samples.append((match[1], dict(LABEL.findall(match[2] or "")), float(match[3])))
    return helps, types, samples


def value(samples: list, name: str, **labels: str) -> float:
    found = [v for n, l, v in samples if n == name and l == labels]
    assert len(found) == 1, (name, labels, found)
    return found[0]


class MetricsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.bootstrap = program.start_bootstrap(self, self.folder)

    def scrape(self, of: program.Program) -> tuple[dict, dict, list]:
        status, text = of.get("/metrics")
        self.assertEqual(status, 200, text)
        return parse(text)

    def expect_as_documented(self, of: program.Program, section: str):
        rows = {**documented()[section], **documented()["all"]}
        self.assertGreater(len(rows), 10)
        helps, types, samples = self.scrape(of)
        self.assertEqual(helps, {name: row["help"] for name, row in rows.items()})
        self.assertEqual(types, {name: row["type"] for name, row in rows.items()})
        for name, labels, _ in samples:
            base = name
            if name not in rows:
                base = re.sub("_(bucket|sum|count)$", "", name)
                self.assertEqual(rows[base]["type"], "histogram", name)
                labels.pop("le", None)
            self.assertEqual(list(labels), rows[base]["labels"], name)
        for name, row in rows.items():
            self.assertEqual(name.endswith("_total"), row["type"] == "counter", name)
            if row["unit"]:
                self.assertRegex(name, "_%s(_total)?$" % row["unit"])

    def start_agent(self, **flags: str) -> program.Program:
        return program.start_agent(self, self.folder, self.bootstrap.address(), **flags)

    def test_the_bootstrap_service_serves_what_the_page_lists(self):
        self.expect_as_documented(self.bootstrap, "bootstrap")

    def test_the_agent_serves_what_the_page_lists(self):
        self.expect_as_documented(self.start_agent(), "agent")

    def test_the_router_serves_what_the_page_lists(self):
        router = program.Program(program.ROUTER, self.folder, bootstrap=self.bootstrap.address())
        self.addCleanup(router.end)
        self.expect_as_documented(router, "router")

    def test_no_slow_path_is_silent(self):
        """An agent that fell back says so: verbs was tried, and is off."""
        agent = self.start_agent(transport="auto")
        _, _, samples = self.scrape(agent)
        on = {l["transport"]: v for n, l, v in samples if n == "baton_transport_on"}
        self.assertEqual(set(on), {"shm", "cuda", "verbs", "tcp"})
        self.assertEqual(on["tcp"], 1)

    def test_a_watcher_is_counted_and_readiness_is_shown(self):
        agent = self.start_agent()
        program.eventually(lambda: agent.get("/readyz")[0] == 200, "ready")
        self.assertEqual(value(self.scrape(agent)[2], "baton_ready"), 1)
        self.assertEqual(value(self.scrape(self.bootstrap)[2], "baton_watchers"), 1)

    def test_a_flood_of_log_lines_cannot_hide(self):
        _, _, samples = self.scrape(self.bootstrap)
        self.assertGreater(value(samples, "baton_log_lines_total", severity="info"), 0)


if __name__ == "__main__":
    unittest.main()
