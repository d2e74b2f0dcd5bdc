/*
 * usage FILE COMMAND...: run a command and write what it and the processes it
 * waited for took to FILE, as one line of JSON. Small, because a child counts
 * the memory of who forked it as its own peak.
 */
#include <err.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double
seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
	struct rusage used;
	int status = 0;
	FILE *out;
	pid_t pid;

	if (argc < 3)
		errx(64, "usage: usage FILE COMMAND...");
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		err(1, "%s", argv[2]);
	out = fopen(argv[1], "w");
	if (out == NULL)
		err(1, "%s", argv[1]);
	fprintf(out, "{\"cpu_s\":%.6f,\"peak_mib\":%.2f}\n",
	    seconds(used.ru_utime) + seconds(used.ru_stime),
	    (double)used.ru_maxrss / 1024);
	fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
