// Compares a state table with its drawing in docs/states/: the two cannot drift apart.
//
//   TEST(Drawings, AreCurrent) {
//     EXPECT_EQ(DrawingOf("slot"), RenderDot("slot", absl::MakeConstSpan(kSlotRows), kEmpty));
//   }
//
// The test needs `data = ["//docs/states"]`. When it fails, the text it expected is the new
// drawing.
#ifndef BATON_TESTS_SUPPORT_DRAWING_H_
#define BATON_TESTS_SUPPORT_DRAWING_H_

#include <fstream>
#include <sstream>
#include <string>

namespace baton {

// The text of docs/states/NAME.dot, or a line that says that there is none.
inline std::string DrawingOf(const std::string& name) {
  std::string path = "docs/states/" + name + ".dot";
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? text.str() : "there is no " + path;
}

}  // namespace baton

#endif  // BATON_TESTS_SUPPORT_DRAWING_H_
