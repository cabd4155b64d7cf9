import unittest

from tools.tidy import classes

_LIST = classes.EXCEPTIONS


def _measure(source):
    return [(name, methods, fields) for name, _, methods, fields in classes.measure(source)]


def _rules(source, listed=""):
    """What the rule says of one header, and of the list in the end."""
    texts = {_LIST: listed, "a.h": source}
    limits = classes.Classes(list(texts), texts.__getitem__)
    return [(f.path, f.text) for f in limits.check("a.h", source) + limits.finish()]


def _with(methods, fields):
    return "class A {\n%s%s};\n" % ("  void F();\n" * methods, "  int f_ = 0;\n" * fields)


class MeasureTest(unittest.TestCase):
    def test_counts_methods_and_fields(self):
        source = """namespace a {
        class B final : public C, private std::vector<int> {
         public:
          static B Make(int a, int b = F(2));
          int x() const override { return x_; }
          virtual void F(std::function<void(int)> f) = 0;
          template <typename T>
          bool G(T t) const {
            if (t) { return true; }
            return false;
          }
         private:
          int x_ = F(2), y_;
          std::vector<int> z_{1, 2};
          std::function<int(int)> call_;
          mutable Mutex mutex_;
          int guarded_ ABSL_GUARDED_BY(mutex_) = 0;
          alignas(64) std::byte bytes_[64] = {};
          const char* const text_ = "};";
        };
        }  // namespace a
        """
        self.assertEqual(_measure(source), [("B", 4, 8)])

    def test_what_every_class_has_does_not_count(self):
        source = """class B {
          explicit B(int a) : a_{a}, b_(2) {}
          B(const B&) = delete;
          ~B() = default;
          B& operator=(const B&) = delete;
          bool operator==(const B&) const = default;
          auto operator<=>(const B&) const = default;
          int operator()(int a) { return a; }
          using Pair = std::pair<int, int>;
          static constexpr int kMax = 3;
          static_assert(sizeof(int) == 4);
          enum class E { kOne, kTwo };
          struct Later;
          friend class D;
          template <typename H> friend H Hash(H h, B b) { return h; }
          int a_, b_;
        };"""
        self.assertEqual(_measure(source), [("B", 0, 2)])

    def test_a_class_within_counts_for_itself(self):
        source = """struct A {
          struct B {
            int c;
            void F();
          };
          struct { int x; } d;
          B e = {.c = 1};
          B g;
        };
        struct A::C { int i; };"""
        self.assertEqual(_measure(source), [("A", 0, 3), ("A::B", 1, 1), ("A::C", 0, 1)])

    def test_says_where_a_class_begins(self):
        self.assertEqual(classes.measure("\n\nstruct A {\n  int a;\n};\n"), [("A", 3, 0, 1)])

    def test_what_is_no_class_is_not_measured(self):
        source = """enum class E { kOne };
        void F() { struct Local { int a; } l; }
        template <class T> int G(T t) { return 1; }
        struct A;
        const struct A kA = {1, 2};
        """
        self.assertEqual(_measure(source), [])


class LimitsTest(unittest.TestCase):
    def test_the_limits(self):
        self.assertEqual(_rules(_with(25, 15)), [])
        for methods, fields in ((26, 0), (0, 16)):
            (path, text), = _rules(_with(methods, fields))
            self.assertEqual(path, "a.h")
            self.assertIn("A has %d methods and %d fields, the limit is 25 and 15" %
                          (methods, fields), text)

    def test_an_exception_holds_at_its_figures(self):
        self.assertEqual(_rules(_with(30, 3), "# why\n\na.h A 30 3  it is so\n"), [])

    def test_the_figures_only_go_down(self):
        for methods, fields, what in ((31, 3, "the limit is 30 and 3"), (30, 4, "the limit is"),
                                      (29, 3, "lower it there"), (30, 2, "lower it there")):
            (path, text), = _rules(_with(methods, fields), "a.h A 30 3\n")
            self.assertEqual(path, "a.h")
            self.assertIn(what, text)

    def test_an_exception_that_nothing_needs_is_a_finding(self):
        for listed in ("a.h A 30 3\n", "a.h B 30 3\n", "b.h A 30 3\n"):
            (path, text), = _rules(_with(25, 3), listed)
            self.assertEqual(path, _LIST)
            self.assertIn("take the line out", text)


if __name__ == "__main__":
    unittest.main()
