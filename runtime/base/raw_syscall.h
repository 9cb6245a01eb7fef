#pragma once

namespace sandbox {

/// A system call for a child that shares memory with a parent who goes on meanwhile: it touches
/// nothing of the process, not even errno, which such a child has in common with its parent. Gives
/// what the kernel gives: -errno for a failure.
long raw_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept;

/// An address as an argument of raw_syscall().
inline long to_argument(const void* address) noexcept { return reinterpret_cast<long>(address); }

/// What failed where nothing may be thrown, or nothing did.
struct FailedCall {
  const char* call = nullptr;
  int error = 0;

  explicit operator bool() const noexcept { return call != nullptr; }
};

/// `call` has failed if `result` of raw_syscall() says so.
inline FailedCall failed(const char* call, long result) noexcept {
  if (result >= 0) return {};
  return {call, static_cast<int>(-result)};
}

}  // namespace sandbox
