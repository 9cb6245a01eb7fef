// sandboxctl doctor: the table, the document and the exit code.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Doctor, TableHasNoColourInAPipe) {
  const Ended end = sandboxctl({"doctor"});
  EXPECT_THAT(end.out,
              AllOf(HasSubstr("user namespace"), HasSubstr("kernel"), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(end.err, IsEmpty());
}

TEST(Doctor, SaysThatSandboxesRunWhereTheyDo) {
  require_user_namespaces();
  const Ended end = sandboxctl({"doctor"});
  EXPECT_EQ(end.exit_code, 0) << end.out;
  EXPECT_THAT(end.out, HasSubstr("Sandboxes can run here"));
}

TEST(Doctor, DocumentAgreesWithTheExitCode) {
  const Ended end = sandboxctl({"doctor", "--json"});
  const json document = json::parse(end.out);
  EXPECT_EQ(document["can_run"], end.exit_code == 0);
  for (const json& probe : document["probes"]) {
    EXPECT_THAT(probe["found"].get<std::string>(), Not(IsEmpty())) << probe;
    EXPECT_EQ(probe["status"] == "failed" && probe["remedy"] == "", false) << probe;
  }
}

}  // namespace
}  // namespace sandbox::test
