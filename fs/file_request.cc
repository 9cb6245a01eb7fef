// FileRequest and FileAnswer as messages.

#include <cerrno>
#include <utility>

#include "fs/file_call.h"
#include "runtime/base/wire.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

void write_time(WireWriter& out, const timespec& time) {
  out.u64(static_cast<uint64_t>(time.tv_sec));
  out.u64(static_cast<uint64_t>(time.tv_nsec));
}

timespec read_time(WireReader& in) {
  timespec time = {};
  time.tv_sec = static_cast<time_t>(in.u64());
  time.tv_nsec = static_cast<decltype(time.tv_nsec)>(in.u64());
  return time;
}

// A NUL inside would make the kernel see another name than we do.
std::string read_name(WireReader& in) {
  std::string name = in.text();
  if (name.find('\0') != std::string::npos) throw Error(EBADMSG, "decode", "file request");
  return name;
}

}  // namespace

FileRequest::FileRequest(uid_t uid, gid_t gid, const FileCall& call)
    : uid_(uid),
      gid_(gid),
      name_(call.name),
      other_name_(call.other_name),
      value_(call.value),
      call_(call) {}

std::vector<int> FileRequest::fds() const {
  std::vector<int> fds{call_.fd};
  if (call_.other_fd >= 0) fds.push_back(call_.other_fd);
  return fds;
}

std::vector<std::byte> FileRequest::encode() const {
  WireWriter out;
  out.u32(uid_);
  out.u32(gid_);
  out.u32(static_cast<uint32_t>(call_.kind));
  out.text(name_);
  out.text(other_name_);
  out.text(value_);
  out.u64(call_.flags);
  out.u64(call_.resolve);
  out.u32(call_.mode);
  out.u32(call_.uid);
  out.u32(call_.gid);
  for (const timespec& time : call_.times) write_time(out, time);
  return {out.message().begin(), out.message().end()};
}

FileRequest::FileRequest(std::span<const std::byte> payload, std::span<const UniqueFd> fds) {
  WireReader in(payload);
  uid_ = in.u32();
  gid_ = in.u32();
  call_.kind = static_cast<FileCall::Kind>(in.u32());
  name_ = read_name(in);
  other_name_ = read_name(in);
  value_ = in.text();
  call_.flags = in.u64();
  call_.resolve = in.u64();
  call_.mode = in.u32();
  call_.uid = in.u32();
  call_.gid = in.u32();
  for (timespec& time : call_.times) time = read_time(in);
  in.finish();
  const bool has_other =
      call_.kind == FileCall::Kind::Rename || call_.kind == FileCall::Kind::AddWatch;
  if (fds.size() != (has_other ? 2U : 1U)) throw Error(EBADMSG, "decode", "descriptors");
  call_.fd = fds.front().get();
  call_.other_fd = has_other ? fds.back().get() : -1;
  call_.name = name_.c_str();
  call_.other_name = other_name_.c_str();
  call_.value = value_;
}

std::vector<std::byte> encode(const FileAnswer& answer) {
  WireWriter out;
  out.u64(static_cast<uint64_t>(answer.value));
  out.u32(static_cast<uint32_t>(answer.error));
  out.text(answer.text);
  return {out.message().begin(), out.message().end()};
}

FileAnswer decode_file_answer(std::span<const std::byte> payload, std::vector<UniqueFd> fds) {
  WireReader in(payload);
  FileAnswer answer;
  answer.value = static_cast<int64_t>(in.u64());
  answer.error = static_cast<int>(in.u32());
  answer.text = in.text();
  in.finish();
  if (fds.size() > 1) throw Error(EBADMSG, "decode", "descriptors");
  if (!fds.empty()) answer.fd = std::move(fds.front());
  return answer;
}

}  // namespace sandbox
