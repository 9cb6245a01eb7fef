#include "templates/accounts.h"

#include <gmock/gmock.h>

#include <string>

namespace sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> names_in(const Accounts& accounts) {
  std::vector<std::string> names;
  for (const Account& account : accounts.all()) names.push_back(account.name);
  return names;
}

TEST(Accounts, UserAndRootAreThereWhateverTheTemplate) {
  const Accounts accounts({}, {});
  EXPECT_THAT(names_in(accounts), ElementsAre("root", "user"));
  EXPECT_EQ(accounts.find("user")->uid, 1000U);
  EXPECT_EQ(accounts.find("user")->gid, 1000U);
  EXPECT_EQ(accounts.find("user")->home, "/home/user");
  EXPECT_EQ(accounts.find("root")->uid, 0U);
}

TEST(Accounts, OnesOfTheTemplateAreKept) {
  const Accounts accounts("root:x:0:0:root:/root:/bin/sh\nuser:x:5000:5001::/srv/u:/bin/sh\n", {});
  EXPECT_EQ(accounts.find("user")->uid, 5000U);
  EXPECT_EQ(accounts.find("user")->gid, 5001U);
  EXPECT_EQ(accounts.find("user")->home, "/srv/u");
  EXPECT_THAT(names_in(accounts), ElementsAre("root", "user"));
}

// `id` asks for the name of 1000, and the first line with that id answers.
TEST(Accounts, AddedOnesStandInFrontOfOthersWithTheirId) {
  const Accounts accounts("ubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n", {});
  EXPECT_THAT(names_in(accounts), ElementsAre("root", "user", "ubuntu"));
  EXPECT_THAT(accounts.passwd_file(),
              StartsWith("root:x:0:0::/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n"));
}

TEST(Accounts, FileWithoutAFinalNewlineIsNotGluedTogether) {
  const Accounts accounts("a:x:1:1::/a:/bin/sh", "a:x:1:");
  EXPECT_THAT(accounts.passwd_file(), HasSubstr("a:x:1:1::/a:/bin/sh\n"));
  EXPECT_THAT(accounts.group_file(), HasSubstr("a:x:1:\n"));
}

TEST(Accounts, LinesThatAreNotExactlyRightArePassedOver) {
  for (const char* line : {
           "",
           "name",
           "name:x:1:1::/home",               // Six fields.
           "name:x:1:1::/home:/bin/sh:more",  // Eight.
           ":x:1:1::/home:/bin/sh",           // No name.
           "a/b:x:1:1::/home:/bin/sh",        // A name that would be a path.
           "name:x::1::/home:/bin/sh",        // No id.
           "name:x:1:::/home:/bin/sh",
           "name:x:-1:1::/home:/bin/sh",
           "name:x:+1:1::/home:/bin/sh",
           "name:x: 1:1::/home:/bin/sh",
           "name:x:1 :1::/home:/bin/sh",
           "name:x:0x10:1::/home:/bin/sh",
           "name:x:1e3:1::/home:/bin/sh",
           "name:x:4294967295:1::/home:/bin/sh",  // (uid_t)-1: "leave unchanged".
           "name:x:4294967296:1::/home:/bin/sh",  // Would be 0 in 32 bits.
           "name:x:18446744073709551616:1::/home:/bin/sh",
           "name:x:1:4294967296::/home:/bin/sh",
           "name:x:1:1::home:/bin/sh",  // A home that is relative,
           "name:x:1:1:::/bin/sh",      // or missing.
           "# name:x:1:1::/home",
       }) {
    EXPECT_THAT(names_in(Accounts(std::string(line) + "\n", {})), ElementsAre("root", "user"))
        << line;
  }
}

TEST(Accounts, NulInALineSpoilsThatLineOnly) {
  const std::string nul(1, '\0');
  const Accounts accounts(
      "a" + nul + ":x:1:1::/a:/bin/sh\nb:x:2:2::/b" + nul + ":/bin/sh\nc:x:3:3::/c:/bin/sh\n", {});
  EXPECT_THAT(names_in(accounts), ElementsAre("root", "user", "c"));
}

TEST(Accounts, LargestIdIsTaken) {
  const Accounts accounts("a:x:4294967294:4294967294::/a:/bin/sh\n", {});
  EXPECT_EQ(accounts.find("a")->uid, 4294967294U);
}

TEST(Accounts, FirstOfTwoEqualNamesCounts) {
  const Accounts accounts("a:x:1:1::/a:/bin/sh\na:x:2:2::/b:/bin/sh\n", {});
  EXPECT_EQ(accounts.find("a")->uid, 1U);
}

TEST(Accounts, UnknownNameIsNobody) {
  EXPECT_FALSE(Accounts({}, {}).find("nobody-knows-me").has_value());
  EXPECT_FALSE(Accounts({}, {}).find("").has_value());
}

TEST(Accounts, SupplementaryGroupsAreThoseThatListTheName) {
  const Accounts accounts({}, "audio:x:29:user,other\nvideo:x:44:other\nplug:x:46:user\n");
  EXPECT_THAT(accounts.supplementary_groups("user"), ElementsAre(29U, 46U));
  EXPECT_THAT(accounts.supplementary_groups("use"), IsEmpty());
}

TEST(Accounts, MalformedGroupsArePassedOver) {
  const Accounts accounts({}, "a:x:1\nb:x:-1:user\nc:x:4294967295:user\n:x:5:user\nd:x:6:user\n");
  EXPECT_THAT(accounts.supplementary_groups("user"), ElementsAre(6U));
}

TEST(Accounts, GroupOfAnAddedUserIsAddedOnlyOnce) {
  const Accounts accounts({}, "user:x:77:\n");
  EXPECT_THAT(accounts.group_file(), Not(HasSubstr("user:x:1000:")));
}

TEST(Accounts, ThousandsOfLinesAreTaken) {
  std::string passwd;
  for (int i = 2000; i < 4000; ++i) {
    const std::string id = std::to_string(i);
    passwd += "u" + id + ":x:" + id + ":" + id + "::/home/u" + id + ":/bin/sh\n";
  }
  EXPECT_EQ(Accounts(passwd, {}).all().size(), 2002U);
}

}  // namespace
}  // namespace sandbox
