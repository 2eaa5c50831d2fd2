/* The command line: one table of commands. */
#ifndef CN_SIGNALING_CLI_H
#define CN_SIGNALING_CLI_H

#include <stdio.h>

/** Runs the program with its arguments; the exit status: 0 done, 1 failed, 2 wrong usage. */
int cn_cli_run(int argc, char **argv);
void cn_cli_help(FILE *to);

#endif
