#include "isolation/seccomp_tables.h"

#include <cerrno>

namespace sandbox {
namespace {

constexpr Verdict kAllow = Verdict::Allow;
constexpr Verdict kByArg = Verdict::ByArgument;
constexpr Verdict kEperm = Verdict::Eperm;
constexpr Verdict kEnosys = Verdict::Enosys;
constexpr Verdict kInit = Verdict::InitOnly;
constexpr Verdict kInitNosys = Verdict::InitOnlyEnosys;

// Columns: default, strict, dev. Calls of one row are in alphabetical order.
constexpr SyscallRow kRows[] = {
    // What every program needs.
    {kAllow, kAllow, kAllow, "Files: open, read, write, stat.",
     "access close close_range copy_file_range dup dup2 dup3 faccessat faccessat2 fadvise64 "
     "fallocate fcntl fdatasync flock fstat fstatfs fsync ftruncate getdents64 lseek lstat "
     "newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv "
     "sendfile stat statfs statx truncate umask write writev"},
    {kAllow, kAllow, kAllow, "The tree: names, links, modes, times, directories.",
     "chdir chmod fchdir fchmod fchmodat fchmodat2 getcwd link linkat mkdir mkdirat readlink "
     "readlinkat rename renameat renameat2 rmdir symlink symlinkat unlink unlinkat utimensat"},
    {kAllow, kAllow, kAllow, "Reading extended attributes: ls(1) and cp(1) always try.",
     "fgetxattr flistxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr"},
    {kAllow, kAllow, kAllow, "Memory of the process itself; mseal and shadow stacks only harden.",
     "brk madvise map_shadow_stack membarrier memfd_create mmap mprotect mremap mseal msync "
     "munmap"},
    {kAllow, kAllow, kAllow, "Processes and threads. clone is filtered by argument.",
     "execve execveat exit exit_group fork futex rseq set_robust_list set_tid_address vfork wait4 "
     "waitid"},
    {kAllow, kAllow, kAllow, "Signals reach the own pid namespace only.",
     "kill pause pidfd_open pidfd_send_signal restart_syscall rt_sigaction rt_sigpending "
     "rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sigaltstack signalfd4 tgkill "
     "tkill"},
    {kAllow, kAllow, kAllow, "Reading one's identity, groups and session; own job control.",
     "capget getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getresgid getresuid "
     "getsid gettid getuid setpgid setsid"},
    {kAllow, kAllow, kAllow, "Reading limits, usage and scheduling.",
     "getcpu getpriority getrlimit getrusage sched_get_priority_max sched_get_priority_min "
     "sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
     "sched_yield sysinfo times uname"},
    {kAllow, kAllow, kAllow, "Reading clocks, sleeping, own timers, random numbers.",
     "alarm clock_getres clock_gettime clock_nanosleep getitimer getrandom gettimeofday nanosleep "
     "setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_settime "
     "timerfd_create timerfd_gettime timerfd_settime"},
    {kAllow, kAllow, kAllow, "Waiting for descriptors; pipes.",
     "epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd2 inotify_add_watch "
     "inotify_init1 inotify_rm_watch pipe pipe2 poll ppoll pselect6 select"},
    {kAllow, kAllow, kAllow, "Using a socket. Which ones exist is decided at socket().",
     "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmsg "
     "shutdown"},
    {kAllow, kAllow, kAllow, "Settings of the own thread; PR_SET_SECCOMP can only add filters.",
     "arch_prctl prctl"},
    {kAllow, kAllow, kAllow, "A program that confines itself further is welcome.",
     "landlock_add_rule landlock_create_ruleset landlock_restrict_self"},
    {kAllow, kAllow, kAllow,
     "Made by trampolines of a tracing host, not by programs; fails when called directly.",
     "uprobe uretprobe"},

    // Allowed in part: argument_rules() says which part and why.
    {kByArg, kByArg, kByArg, "Namespaces, devices, personalities, filters, sockets.",
     "clone ioctl personality seccomp sendmsg sendto setsockopt socket socketpair"},
    {kAllow, kAllow, kAllow, "Lowering limits. payload_rules() holds back one of them.",
     "prlimit64 setrlimit"},
    {kByArg, kEnosys, kByArg, "glibc's resolver; strict has no network to resolve for.",
     "sendmmsg"},

    // Ordinary, but strict does without.
    {kAllow, kEnosys, kAllow, "As sendmmsg.", "recvmmsg"},
    {kAllow, kEnosys, kAllow, "SysV IPC: much old kernel code; databases and X11 want it.",
     "msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget"},
    {kAllow, kEnosys, kAllow, "POSIX message queues: rarely used.",
     "mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink"},
    {kAllow, kEnosys, kAllow, "Moves pages between pipes: family of Dirty Pipe (CVE-2022-0847).",
     "splice tee"},
    {kAllow, kInit, kAllow, "Changing ids: acts on mapped ids only, useful with range maps.",
     "capset setfsgid setfsuid setgid setgroups setregid setresgid setresuid setreuid setuid"},
    {kAllow, kInit, kAllow, "Changing owners: the same. Init writes files for other owners.",
     "chown fchown fchownat lchown"},
    {kAllow, kEnosys, kAllow, "Superseded calls; libc uses the successor.",
     "creat epoll_create eventfd futimesat getdents inotify_init signalfd utime utimes"},
    {kAllow, kEnosys, kAllow, "New code that hardly any program asks for.",
     "futex_requeue futex_wait futex_waitv futex_wake"},
    {kAllow, kEnosys, kAllow, "Protection keys: JIT compilers do without them.",
     "pkey_alloc pkey_free pkey_mprotect"},
    {kAllow, kEperm, kAllow, "Scheduling: cpu share is the cgroup's, but affinity hurts others.",
     "ioprio_get ioprio_set sched_setaffinity sched_setattr sched_setparam sched_setscheduler "
     "setpriority"},
    {kAllow, kEperm, kAllow, "Pinned memory; limited by RLIMIT_MEMLOCK.",
     "mlock mlock2 mlockall munlock munlockall"},
    {kAllow, kEperm, kAllow, "Writing extended attributes: room for data that du does not count.",
     "fremovexattr fsetxattr lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat"},
    {kAllow, kEperm, kAllow,
     "FIFOs for programs; device nodes fail in a user namespace, whiteouts on overlay.",
     "mknod mknodat"},
    {kAllow, kEperm, kAllow, "Forces disk traffic, sync even on file systems of the host.",
     "readahead sync sync_file_range syncfs"},
    {kAllow, kEperm, kAllow, "Signals with a forged sender; within the pid namespace.",
     "rt_sigqueueinfo rt_tgsigqueueinfo"},
    {kAllow, kEperm, kAllow, "Looks into memory management: page residency, other threads.",
     "get_robust_list mincore process_mrelease"},

    // Forbidden.
    {kEperm, kEperm, kEperm, "Mounts: file system tricks, and never needed by a payload.",
     "chroot mount pivot_root umount2"},
    {kEnosys, kEnosys, kEnosys,
     "The same by descriptors. CVE-2021-41133: it was forgotten; CVE-2022-0185: fsconfig.",
     "fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree open_tree_attr"},
    {kEnosys, kEnosys, kEnosys, "Tells about mounts and security modules; new code.",
     "listmount lsm_get_self_attr lsm_list_modules lsm_set_self_attr statmount"},
    {kEperm, kEperm, kEperm, "A nested user namespace opens the kernel's root-only half.",
     "setns unshare"},
    {kInitNosys, kInitNosys, kInitNosys,
     "Its flags are behind a pointer, out of a filter's sight. ENOSYS: glibc retries with clone. "
     "Init has no other way to start a command in a cgroup (CLONE_INTO_CGROUP).",
     "clone3"},
    {kEperm, kEperm, kEperm, "Keyrings go by kernel uid, not by namespace; CVE-2016-0728.",
     "add_key keyctl request_key"},
    {kEperm, kEperm, kEperm, "Code in the kernel, or a handle on its races (userfaultfd).",
     "bpf delete_module finit_module init_module kexec_file_load kexec_load perf_event_open "
     "userfaultfd"},
    {kEnosys, kEnosys, kEnosys, "Opens files and sockets out of a filter's sight; CVE-2026-43494.",
     "io_uring_enter io_uring_register io_uring_setup"},
    {kEperm, kEperm, kEperm, "Opens by handle, not by path: leaves any root directory.",
     "name_to_handle_at open_by_handle_at"},
    {kEperm, kEperm, kAllow, "Debugging: gdb, strace, LeakSanitizer. Lateral movement otherwise.",
     "process_vm_readv process_vm_writev ptrace"},
    {kEperm, kEperm, kAllow, "Asks what ptrace rights already answer; rr and CRIU use it.", "kcmp"},
    {kEperm, kEperm, kEperm, "Takes descriptors of, or advises, another process.",
     "pidfd_getfd process_madvise"},
    {kEperm, kEperm, kEperm, "Administration of the machine; needs capabilities anyway.",
     "acct adjtimex clock_adjtime clock_settime ioperm iopl quotactl quotactl_fd reboot "
     "setdomainname sethostname settimeofday swapoff swapon syslog vhangup"},
    {kEperm, kEperm, kEperm, "Segment descriptors of old x86; CVE-2015-5157, CVE-2017-17053.",
     "modify_ldt"},
    {kEnosys, kEnosys, kEnosys, "Obsolete; a kernel may lack them.", "sysfs ustat"},
    {kEperm, kEperm, kEperm, "NUMA placement moves pages of others; CVE-2017-7616.",
     "mbind migrate_pages move_pages set_mempolicy"},
    {kEnosys, kEnosys, kEnosys, "ENOSYS tells libnuma that there is no NUMA.",
     "get_mempolicy set_mempolicy_home_node"},
    {kEperm, kEperm, kEperm, "Gives pages to a pipe, or remaps them: family of Dirty Pipe.",
     "remap_file_pages vmsplice"},
    {kEperm, kEperm, kEperm, "Reports what happens in a whole file system.",
     "fanotify_init fanotify_mark"},
    {kEnosys, kEnosys, kEnosys, "Kernel AIO: surface for the few; they fall back to threads.",
     "io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit"},
    {kEnosys, kEnosys, kEnosys, "Memory that a host cannot inspect; page cache oracle; new calls.",
     "cachestat file_getattr file_setattr memfd_secret"},
};

constexpr Profiles kAll = {.in_default = true, .in_strict = true, .in_dev = true};
constexpr Profiles kButStrict = {.in_default = true, .in_strict = false, .in_dev = true};
constexpr Profiles kDevOnly = {.in_default = false, .in_strict = false, .in_dev = true};

// The numbers of the ABI: their names are spread over headers that exclude each other.
constexpr std::uint32_t kUnix = 1;                    // AF_UNIX
constexpr Values kInet = {2, 10};                     // AF_INET, AF_INET6
constexpr std::uint32_t kNetlink = 16;                // AF_NETLINK
constexpr Values kInetProtocols = {0, 1, 6, 17, 58};  // any, ICMP, TCP, UDP, ICMPv6
constexpr std::uint32_t kRoute = 0;                   // NETLINK_ROUTE
constexpr std::uint32_t kNewNamespaces = 0x7E020000;  // CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
constexpr std::uint32_t kMsgOob = 1;
constexpr std::uint32_t kNewListener = 8;                    // SECCOMP_FILTER_FLAG_NEW_LISTENER
constexpr Values kPersonalities = {0, 0x20000, 0xffffffff};  // Linux, UNAME26, "tell me"
constexpr Values kNoRandomize = {0x40000, 0x60000};          // ADDR_NO_RANDOMIZE
constexpr Values kTerminalIoctls = {0x5412, 0x541C, 0x541D, 0x5423};  // STI, LINUX, CONS, SETD
constexpr std::uint32_t kRlimitLocks = 10;
constexpr std::uint32_t kPidOfInit = 1;

constexpr int kAllowed = 0;
constexpr std::array<Condition, 2> kOtherwise = {};

constexpr ArgumentRule kArgumentRules[] = {
    {"clone",
     kAll,
     EPERM,
     "Namespaces, see unshare. CLONE_NEWTIME (0x80) is part of the exit signal in this call.",
     {{{0, Test::HasAnyBit, {kNewNamespaces}}}}},
    {"clone", kAll, kAllowed, "Threads and processes.", kOtherwise},

    {"socket",
     kAll,
     kAllowed,
     "Within the machine; abstract names end at the namespace.",
     {{{0, Test::Equals, {kUnix}}}}},
    {"socket",
     kButStrict,
     kAllowed,
     "The Internet, if the network namespace has a way to it.",
     {{{0, Test::Equals, kInet}, {2, Test::Equals, kInetProtocols}}}},
    {"socket",
     kButStrict,
     EPROTONOSUPPORT,
     "SCTP, DCCP, MPTCP, raw: the errno on which Go falls back from MPTCP to TCP.",
     {{{0, Test::Equals, kInet}}}},
    {"socket",
     kButStrict,
     kAllowed,
     "Interfaces and routes: getaddrinfo(3), getifaddrs(3).",
     {{{0, Test::Equals, {kNetlink}}, {2, Test::Equals, {kRoute}}}}},
    {"socket",
     kButStrict,
     EPROTONOSUPPORT,
     "NETLINK_XFRM (CVE-2026-43284), NETFILTER (CVE-2024-1086) and 20 more.",
     {{{0, Test::Equals, {kNetlink}}}}},
    {"socket", kAll, EAFNOSUPPORT,
     "The rest is kernel code without users here: AF_ALG (CVE-2026-31431), VSOCK (not namespaced, "
     "CVE-2025-21756), PACKET (CVE-2020-14386), RXRPC, RDS, TIPC, CAN, BLUETOOTH, XDP, KEY. "
     "In strict everything but AF_UNIX.",
     kOtherwise},
    {"socketpair", kAll, kAllowed, "Pipes with two directions.", {{{0, Test::Equals, {kUnix}}}}},
    {"socketpair", kAll, EAFNOSUPPORT, "Only TIPC has it besides AF_UNIX.", kOtherwise},

    // Receiving stays plain: with nobody who can send out of band there is nothing to receive.
    {"sendto",
     kAll,
     EOPNOTSUPP,
     "MSG_OOB on AF_UNIX: CVE-2025-38236.",
     {{{3, Test::HasAnyBit, {kMsgOob}}}}},
    {"sendto", kAll, kAllowed, "Ordinary data.", kOtherwise},
    {"sendmsg", kAll, EOPNOTSUPP, "As sendto.", {{{2, Test::HasAnyBit, {kMsgOob}}}}},
    {"sendmsg", kAll, kAllowed, "Ordinary data, descriptors.", kOtherwise},
    {"sendmmsg", kButStrict, EOPNOTSUPP, "As sendto.", {{{3, Test::HasAnyBit, {kMsgOob}}}}},
    {"sendmmsg", kButStrict, kAllowed, "Ordinary data.", kOtherwise},
    {"setsockopt",
     kAll,
     ENOPROTOOPT,
     "SOL_TCP, TCP_ULP: kernel TLS and others; CVE-2023-0461.",
     {{{1, Test::Equals, {6}}, {2, Test::Equals, {31}}}}},
    {"setsockopt",
     kAll,
     ENOPROTOOPT,
     "SOL_UDP, UDP_ENCAP: the way into xfrm; CVE-2026-43284.",
     {{{1, Test::Equals, {17}}, {2, Test::Equals, {100}}}}},
    {"setsockopt",
     kAll,
     ENOPROTOOPT,
     "SOL_IP, 64 and up: tables of iptables, arptables, ebtables, IPVS; CVE-2021-22555.",
     {{{1, Test::Equals, {0}}, {2, Test::AtLeast, {64}}}}},
    {"setsockopt",
     kAll,
     ENOPROTOOPT,
     "SOL_IPV6: the tables are 64 and 65. From 66 on there are plain options: IPV6_TCLASS is 67.",
     {{{1, Test::Equals, {41}}, {2, Test::Equals, {64, 65}}}}},
    {"setsockopt", kAll, kAllowed, "Ordinary options.", kOtherwise},

    {"ioctl",
     kAll,
     EPERM,
     "TIOCSTI and TIOCLINUX type into the terminal (CVE-2017-5226, CVE-2023-28100), TIOCCONS takes "
     "the console, TIOCSETD loads line disciplines (CVE-2017-2636).",
     {{{1, Test::Equals, kTerminalIoctls}}}},
    {"ioctl", kAll, kAllowed, "What exists is limited by the nodes in /dev.", kOtherwise},
    {"personality",
     kAll,
     kAllowed,
     "Asking, and what setarch --uname-2.6 sets.",
     {{{0, Test::Equals, kPersonalities}}}},
    {"personality",
     kDevOnly,
     kAllowed,
     "gdb runs programs without address randomisation.",
     {{{0, Test::Equals, kNoRandomize}}}},
    {"personality", kAll, EPERM, "READ_IMPLIES_EXEC, ADDR_NO_RANDOMIZE and others weaken exec.",
     kOtherwise},
    {"seccomp",
     kAll,
     EPERM,
     "A listener decides for others, after the check: a race.",
     {{{1, Test::HasAnyBit, {kNewListener}}}}},
    {"seccomp", kAll, kAllowed, "Further filters can only be tighter.", kOtherwise},
};

// RLIMIT_LOCKS has had no effect since Linux 2.4.25, is inherited over fork and exec, and can be
// read from outside (prlimit(2)): init stores the command's number in it. Every process that a
// command left behind can then be found, and killed, without a cgroup.
constexpr ArgumentRule kPayloadRules[] = {
    {"setrlimit",
     kAll,
     EPERM,
     "RLIMIT_LOCKS is the mark of the command a process belongs to.",
     {{{0, Test::Equals, {kRlimitLocks}}}}},
    {"prlimit64",
     kAll,
     EPERM,
     "The same. Reading it, with no new limit, is allowed.",
     {{{1, Test::Equals, {kRlimitLocks}}, {2, Test::NotNull, {}}}}},

    // Init has the uid of its commands, and these calls ask for no more. Without descriptors it
    // ends, and behind busy threads its clocks stand still.
    {"prlimit64",
     kAll,
     EPERM,
     "Limits of init: RLIMIT_NOFILE 0 ended the sandbox.",
     {{{0, Test::Equals, {kPidOfInit}}, {2, Test::NotNull, {}}}}},
    {"sched_setaffinity",
     kButStrict,
     EPERM,
     "Scheduling of init.",
     {{{0, Test::Equals, {kPidOfInit}}}}},
    {"sched_setattr", kButStrict, EPERM, "The same.", {{{0, Test::Equals, {kPidOfInit}}}}},
    {"sched_setparam", kButStrict, EPERM, "The same.", {{{0, Test::Equals, {kPidOfInit}}}}},
    {"sched_setscheduler", kButStrict, EPERM, "The same.", {{{0, Test::Equals, {kPidOfInit}}}}},
    {"setpriority",
     kButStrict,
     EPERM,
     "The same; PRIO_PROCESS.",
     {{{0, Test::Equals, {0}}, {1, Test::Equals, {kPidOfInit}}}}},
    {"setpriority", kButStrict, EPERM, "PRIO_USER reaches init too.", {{{0, Test::Equals, {2}}}}},
    {"ioprio_set",
     kButStrict,
     EPERM,
     "The same; IOPRIO_WHO_PROCESS.",
     {{{0, Test::Equals, {1}}, {1, Test::Equals, {kPidOfInit}}}}},
    {"ioprio_set",
     kButStrict,
     EPERM,
     "IOPRIO_WHO_USER reaches init too.",
     {{{0, Test::Equals, {3}}}}},
};

struct NumberedCall {
  std::string_view name;
  int number;
};

// From 424 on the numbers are the same on all architectures.
constexpr NumberedCall kUnknownToLibseccomp[] = {
#ifdef __x86_64__
    {"uretprobe", 335},         {"uprobe", 336},
#endif
    {"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
    {"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
    {"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
    {"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
    {"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
    {"file_setattr", 469},
};

}  // namespace

std::span<const SyscallRow> syscall_rows() { return kRows; }

std::span<const ArgumentRule> argument_rules() { return kArgumentRules; }

std::span<const ArgumentRule> payload_rules() { return kPayloadRules; }

std::optional<int> number_unknown_to_libseccomp(std::string_view call) {
  for (const NumberedCall& known : kUnknownToLibseccomp) {
    if (known.name == call) return known.number;
  }
  return std::nullopt;
}

}  // namespace sandbox
