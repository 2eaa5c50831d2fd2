#include "signaling/cli.h"

int main(int argc, char **argv)
{
    return cn_cli_run(argc, argv);
}
