#include "templates/import_budget.h"

#include <algorithm>
#include <cerrno>

#include "sandbox/error.h"

namespace sandbox {

ImportBudget::ImportBudget(const ImportLimits& limits)
    : limits_(limits), deadline_(std::chrono::steady_clock::now() + limits.time) {}

void ImportBudget::take_entry(const std::string& path) {
  if (++entries_ > limits_.entries) {
    throw Error(E2BIG, "import", path,
                "a template may have " + std::to_string(limits_.entries) + " entries");
  }
  const auto depth = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) + 1;
  if (path.size() > limits_.path_bytes || depth > limits_.depth) {
    throw Error(ENAMETOOLONG, "import", path.substr(0, 100),
                "a path may have " + std::to_string(limits_.path_bytes) + " bytes and " +
                    std::to_string(limits_.depth) + " components");
  }
  check_time(path);
}

void ImportBudget::take_bytes(uint64_t bytes, const std::string& path) {
  if (bytes > bytes_left()) {
    throw Error(EFBIG, "import", path,
                "the files of a template may have " + std::to_string(limits_.bytes >> 20) +
                    " MiB together");
  }
  bytes_ += bytes;
  check_time(path);
}

void ImportBudget::check_time(const std::string& path) const {
  if (std::chrono::steady_clock::now() <= deadline_) return;
  throw Error(ETIMEDOUT, "import", path,
              "an import may take " + std::to_string(limits_.time.count()) + " s");
}

}  // namespace sandbox
