// The gradient of an embedding as a matrix, `out[rows[i]] += values[i]`, as a TensorFlow operator.

#include "context.h"
#include "history.h"
#include "threads.h"

namespace recurrence {
namespace {

struct Kernel {
  explicit Kernel(TF_OpKernelConstruction* construction)
      : threads(static_cast<int>(threads_of(construction))) {
    Status status;
    TF_OpKernelConstruction_GetAttrInt64(construction, "size", &size, status.get());
    status.check();
    require(size >= 0, "the size must not be negative");
  }

  int64_t size;
  int threads;
};

// A thread has some columns of all rows and adds in the order of `rows`: the sums do not depend on
// the number of threads, and no thread has more to do than another, whichever rows occur often.
void add_rows(const Kernel& kernel, TF_OpKernelContext* context) {
  const Tensor rows = input(context, 0), values = input(context, 1);
  require(rows.rank() == 1 && values.rank() == 2 && rows.size(0) == values.size(0),
          "rows must be [count], values [count, features]");
  const int64_t count = rows.size(0), features = values.size(1);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = rows.data<int64_t>()[i];
    require(row >= 0 && row < kernel.size, "a row is outside of the matrix");
  }
  const Tensor out = output(context, 0, {kernel.size, features});
  const int64_t blocks = (features + 15) / 16;
  const int parts = static_cast<int>(blocks < kernel.threads ? blocks : kernel.threads);
  parallel(parts, [&](int part) {
    const int64_t begin = blocks * part / parts * 16, last = blocks * (part + 1) / parts * 16;
    const int64_t end = last < features ? last : features;
    for (int64_t row = 0; row < kernel.size; ++row)
      clear(out.data() + row * features + begin, end - begin);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = rows.data<int64_t>()[i];
      add(values.data() + i * features + begin, end - begin,
          out.data() + row * features + begin);
    }
  });
}

__attribute__((constructor)) void register_row_sums() {
  register_operator<Kernel, add_rows>("SuiteRowSums", {"size: int", "threads: int"},
                                      {"rows: int64", "values: float"}, {"sums: float"});
}

}  // namespace
}  // namespace recurrence
