#include "runtime/sandboxctl/table.h"

#include <algorithm>

#include "runtime/sandboxctl/terminal.h"

namespace sandboxctl {

std::string Table::text() const {
  std::vector<size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }

  std::string text;
  for (const auto& row : rows_) {
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i]), ' ');
      text += columns_[i] == Align::Left ? row[i] + padding : padding + row[i];
      text += "  ";
    }
    text += row.back() + "\n";
  }
  return text;
}

}  // namespace sandboxctl
