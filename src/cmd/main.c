#include "config.h"

#include "cmd/cmd.h"

#include <sys/stat.h>

int main(int argc, char **argv)
{
	/* What is written holds personal data: state, trail, targets that are files. */
	umask(077);
	return cmd_main(argc - 1, argv + 1);
}
