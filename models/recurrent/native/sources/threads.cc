#include "threads.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace recurrence {
namespace {

// While it lives, this thread flushes denormal numbers to zero.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (1ull << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  unsigned long long before_;
#else
  FlushDenormals() {}
#endif
};

struct Job {
  Job(int parts, void (*work)(void*, int), void* context)
      : parts(parts), work(work), context(context) {}

  // Takes parts until none is left.
  void help() {
    FlushDenormals flush;
    for (int part; (part = next.fetch_add(1)) < parts;) {
      std::exception_ptr failure;
      try {
        work(context, part);
      } catch (...) {
        failure = std::current_exception();
      }
      std::lock_guard<std::mutex> lock(mutex);
      if (failure) error = failure;
      if (++done == parts) finished.notify_all();
    }
  }

  // Waits for the parts of the others, and throws what a part threw.
  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    finished.wait(lock, [this] { return done == parts; });
    if (error) std::rethrow_exception(error);
  }

  const int parts;
  void (*const work)(void*, int);
  void* const context;
  std::atomic<int> next{0};
  int done = 0;
  std::exception_ptr error;
  std::mutex mutex;
  std::condition_variable finished;
};

// The threads are started when they are needed first, and live as long as the process.
class Pool {
 public:
  void call(const std::shared_ptr<Job>& job, int helpers) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (; threads_ < helpers; ++threads_) std::thread([this] { serve(); }).detach();
      for (int i = 0; i < helpers; ++i) jobs_.push_back(job);
    }
    for (int i = 0; i < helpers; ++i) called_.notify_one();
  }

 private:
  void serve() {
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      called_.wait(lock, [this] { return !jobs_.empty(); });
      std::shared_ptr<Job> job = jobs_.front();
      jobs_.pop_front();
      lock.unlock();
      job->help();
    }
  }

  int threads_ = 0;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::mutex mutex_;
  std::condition_variable called_;
};

}  // namespace

void run_parts(int parts, void (*work)(void*, int), void* context) {
  // Never destroyed: its threads wait in it until the process ends.
  static Pool* pool = new Pool;
  auto job = std::make_shared<Job>(parts, work, context);
  if (parts > 1) pool->call(job, parts - 1);
  job->help();
  job->wait();
}

void Free::operator()(void* memory) const { std::free(memory); }

void* allocate_bytes(int64_t count) {
  const int64_t whole = (count + 63) / 64 * 64;
  void* memory = std::aligned_alloc(64, whole > 0 ? whole : 64);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace recurrence
