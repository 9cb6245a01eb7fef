#pragma once

#include <string>
#include <vector>

namespace sandboxctl {

/// Rows of text in aligned columns, two spaces apart. The last column is not padded, and so the
/// only one that may hold colours.
class Table {
 public:
  enum class Align { Left, Right };

  explicit Table(std::vector<Align> columns) : columns_(std::move(columns)) {}

  /// One cell for each column, escaped for a terminal by the caller.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  /// All rows, each with a final newline.
  std::string text() const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace sandboxctl
