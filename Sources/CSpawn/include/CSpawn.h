#ifndef CSPAWN_H
#define CSPAWN_H

#include <sys/types.h>

/// Makes a pipe whose ends no other process inherits; 0, or -1 with errno.
int cspawn_pipe(int ends[2]);

/// Starts a process that leads a group of its own, with nothing inherited but the three descriptors: usual signals, no signal blocked.
/// `command` and `environment` end with a null pointer; `folder` may be null. 0, or an error number.
int cspawn_start(pid_t *child, char *const command[], char *const environment[], const char *folder, int input, int output, int errors);

#endif
