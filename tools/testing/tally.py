"""What a run of tests came to: how many passed, and the names of those that failed or skipped."""
import dataclasses


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: list[str] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def exit_status(self) -> int:
        """A run in which nothing passed has failed: it tested nothing."""
        return 1 if self.failed or not self.passed else 0

    def print_report(self) -> None:
        """Ends with the closing line that people and machines read, alone on its line."""
        for title, names in (("Skipped", self.skipped), ("FAILED", self.failed)):
            for name in names:
                print("%s: %s" % (title, name))
        if not self.passed and not self.failed:
            print("No test passed: a run without tests is a failure.")
        counts = (self.passed, len(self.failed), len(self.skipped))
        print("%d passed, %d failed, %d skipped" % counts)
