#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/bench/statistics.h"

namespace sandbox::bench {

/// Whether a small or a large ratio is the good one.
enum class Good { Low, High };

/// One line of the table: a number, what it is compared with, and what it has to be.
struct Row {
  std::string what;
  std::string against;
  std::string unit;  ///< Of measured and reference.
  std::optional<double> measured;
  std::optional<double> reference;
  double ratio = 0;  ///< What must and aim are about; without a reference the number itself.
  double must = 0;
  double aim = 0;
  Good good = Good::Low;
  std::string skipped;  ///< Why there is no number.
};

/// A row of medians in microseconds, with their ratio.
Row row_of(std::string what, std::string against, const Pair& pair, double must, double aim);

void print_table(const std::vector<Row>& rows);
void print_json(const std::vector<Row>& rows);

/// The main function of a program that measures rows and has the one option --json.
int run_table(int argc, char** argv, std::vector<Row> (*measure)());

}  // namespace sandbox::bench
