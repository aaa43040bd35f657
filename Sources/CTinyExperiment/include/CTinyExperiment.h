#ifndef CTINYEXPERIMENT_H
#define CTINYEXPERIMENT_H

#include <stddef.h>

/// One file of the tiny experiment, as it was when the program was built.
typedef struct {
  /// Its path in the package.
  const char *path;
  const unsigned char *bytes;
  size_t count;
} ct_file;

/// The files of the tiny experiment; none where the compiler cannot carry files (clang before 19).
extern const size_t ct_file_count;

/// One of them; NULL beyond the last.
const ct_file *ct_file_at(size_t place);

#endif
