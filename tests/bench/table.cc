#include "tests/bench/table.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "sandbox/error.h"

namespace sandbox::bench {
namespace {

// As printed: runs differ by more than the third digit.
bool reaches(const Row& row, double bound) {
  const double ratio = std::round(row.ratio * 100) / 100;
  return row.good == Good::Low ? ratio <= bound : ratio >= bound;
}

const char* verdict(const Row& row) {
  if (reaches(row, row.aim)) return "aim";
  return reaches(row, row.must) ? "must" : "MISSED";
}

std::string number(const std::optional<double>& value, const std::string& unit) {
  if (!value) return "-";
  char text[64];
  std::snprintf(text, sizeof(text), "%.0f %s", *value, unit.c_str());
  return text;
}

void print_row(const Row& row) {
  std::printf("%-44s %-38s ", row.what.c_str(), row.against.c_str());
  if (!row.measured) {
    std::printf("skipped: %s\n", row.skipped.c_str());
    return;
  }
  const char* sign = row.good == Good::Low ? "<=" : ">=";
  std::printf("%10s %10s %8.2f  %s %-5g %s %-5g %s\n", number(row.measured, row.unit).c_str(),
              number(row.reference, row.unit).c_str(), row.ratio, sign, row.must, sign, row.aim,
              verdict(row));
}

nlohmann::json to_json(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

}  // namespace

Row row_of(std::string what, std::string against, const Pair& pair, double must, double aim) {
  Row row;
  row.what = std::move(what);
  row.against = std::move(against);
  row.unit = "us";
  row.measured = microseconds(pair.measured.median());
  row.reference = microseconds(pair.reference.median());
  row.ratio = *row.measured / *row.reference;
  row.must = must;
  row.aim = aim;
  return row;
}

void print_table(const std::vector<Row>& rows) {
  std::printf("%-44s %-38s %10s %10s %8s  %-8s %-8s %s\n", "what", "against", "measured",
              "reference", "ratio", "must", "aim", "reached");
  for (const Row& row : rows) print_row(row);
}

void print_json(const std::vector<Row>& rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const Row& row : rows) {
    nlohmann::json entry{{"what", row.what},
                         {"against", row.against},
                         {"unit", row.unit},
                         {"measured", to_json(row.measured)},
                         {"reference", to_json(row.reference)},
                         {"good", row.good == Good::Low ? "low" : "high"},
                         {"must", row.must},
                         {"aim", row.aim}};
    if (row.measured) {
      entry["ratio"] = row.ratio;
      entry["reached"] = verdict(row);
    } else {
      entry["skipped"] = row.skipped;
    }
    list.push_back(std::move(entry));
  }
  std::printf("%s\n", list.dump(2).c_str());
}

int run_table(int argc, char** argv, std::vector<Row> (*measure)()) {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc != 1 && !json) {
    std::fprintf(stderr, "usage: %s [--json]\n", argv[0]);
    return 2;
  }
  try {
    const std::vector<Row> rows = measure();
    json ? print_json(rows) : print_table(rows);
    return EXIT_SUCCESS;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  }
  return EXIT_FAILURE;
}

}  // namespace sandbox::bench
