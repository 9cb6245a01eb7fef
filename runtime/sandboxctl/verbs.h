#pragma once

#include <string>
#include <vector>

namespace sandboxctl {

/// Each verb takes the arguments behind its name and returns the exit code. Throws Failure.
int run(const std::vector<std::string>& arguments);
int create(const std::vector<std::string>& arguments);
int exec(const std::vector<std::string>& arguments);
int shell(const std::vector<std::string>& arguments);
int ps(const std::vector<std::string>& arguments);
int logs(const std::vector<std::string>& arguments);
int attach(const std::vector<std::string>& arguments);
int kill(const std::vector<std::string>& arguments);
int list(const std::vector<std::string>& arguments);
int inspect(const std::vector<std::string>& arguments);
int stats(const std::vector<std::string>& arguments);
int pause(const std::vector<std::string>& arguments);
int resume(const std::vector<std::string>& arguments);
int rm(const std::vector<std::string>& arguments);
int gc(const std::vector<std::string>& arguments);
int template_verb(const std::vector<std::string>& arguments);
int doctor(const std::vector<std::string>& arguments);
int cp(const std::vector<std::string>& arguments);
int files(const std::vector<std::string>& arguments);
int watch(const std::vector<std::string>& arguments);

}  // namespace sandboxctl
