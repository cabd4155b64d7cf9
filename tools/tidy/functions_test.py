import unittest

from tools.tidy import functions


def _measure(source):
    return [(name, lines) for name, _, lines in functions.measure(source)]


class FunctionsTest(unittest.TestCase):
    def test_measures_from_the_signature_to_the_closing_brace(self):
        self.assertEqual(functions.measure("\nint F(int a,\n      int b) {\n  return a;\n}\n"),
                         [("F", 2, 4)])

    def test_looks_into_namespaces_and_classes(self):
        source = """namespace a {
        class B : public C {
         public:
          B() : x_{1}, y_(2) {}
          int x() const override { return x_; }
         private:
          int x_ = 0;
          std::vector<int> y_{1, 2};
        };
        struct ABSL_ATTRIBUTE(x) D { int z() { return 1; } };
        enum class E { kOne, kTwo };
        }  // namespace a
        """
        self.assertEqual(_measure(source), [("B", 1), ("x", 1), ("z", 1)])

    def test_a_constructor_with_braced_initialisers_is_one_function(self):
        source = "A::A(int x)\n    : a_{x},\n      b_{x} {\n  Go();\n}\n"
        self.assertEqual(functions.measure(source), [("A::A", 1, 5)])

    def test_values_are_no_functions(self):
        source = """constexpr Row kRows[] = {
          {1, F(2)},
        };
        const auto kLambda = [](int a) { return a; };
        int x{3};
        """
        self.assertEqual(_measure(source), [])

    def test_a_lambda_belongs_to_its_function(self):
        source = "void F() {\n  auto g = [&] {\n    if (a) {\n    }\n  };\n}\n"
        self.assertEqual(_measure(source), [("F", 6)])

    def test_braces_in_text_and_comments_do_not_count(self):
        source = ('void F() {\n  // {\n  a = "{";\n  b = \'{\';\n  c = R"x({{)x";\n  /* { */\n}\n'
                  "int G() { return 1'000; }\n")
        self.assertEqual(_measure(source), [("F", 7), ("G", 1)])

    def test_operators_templates_tests_and_trailing_types(self):
        source = """template <typename T, typename = std::enable_if_t<(sizeof(T) > 1)>>
        bool operator==(const T& a, const T& b) { return true; }
        int operator()(int a) { return a; }
        TEST(Suite, Name) {
        }
        auto F(int a = 1) -> std::vector<int> { return {}; }
        void G() ABSL_LOCKS_EXCLUDED(mu_) { H(); }
        """
        names = [name for name, _ in _measure(source)]
        self.assertEqual(len(names), 5)
        self.assertIn("TEST(Suite, Name)", names)
        self.assertIn("F", names)
        self.assertIn("G", names)

    def test_preprocessor_lines_do_not_count(self):
        source = "#define OPEN(x) \\\n  void x() {\nvoid F() {\n#if 1\n#endif\n}\n"
        self.assertEqual(functions.measure(source), [("F", 3, 4)])


if __name__ == "__main__":
    unittest.main()
