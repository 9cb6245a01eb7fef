#include "runtime/sandboxctl/signal_names.h"

#include <gtest/gtest.h>

#include <csignal>

namespace sandboxctl {
namespace {

TEST(SignalNames, AreTakenInEverySpelling) {
  for (const char* text : {"TERM", "SIGTERM", "term", "sigterm", "15"}) {
    EXPECT_EQ(parse_signal(text), SIGTERM) << text;
  }
}

TEST(SignalNames, EverySignalComesBack) {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    EXPECT_EQ(parse_signal(signal_name(signal)), signal) << signal_name(signal);
    EXPECT_EQ(parse_signal(std::to_string(signal)), signal);
  }
}

TEST(SignalNames, RealTimeOnesCountFromBothEnds) {
  EXPECT_EQ(parse_signal("RTMIN"), SIGRTMIN);
  EXPECT_EQ(parse_signal("SIGRTMIN+2"), SIGRTMIN + 2);
  EXPECT_EQ(parse_signal("RTMAX-1"), SIGRTMAX - 1);
}

TEST(SignalNames, OthersAreRefused) {
  for (const char* text : {"", "0", "99", "65", "-9", "TERMX", "SIG", "9 ", "RTMIN-1", "RTMIN+99",
                           "RTMAX+1", "RTMINx", "9999999999999"}) {
    EXPECT_EQ(parse_signal(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace sandboxctl
